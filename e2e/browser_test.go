package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"hufu/internal/i18n"
)

// launch starts a process of the program. What it writes is in its log; it is killed with
// the test.
func launch(t *testing.T, args ...string) *server {
	t.Helper()
	hufu, err := buildHufu()
	if err != nil {
		t.Fatal(err)
	}
	p := &server{t: t, log: new(safeBuffer), gone: make(chan struct{}), cmd: exec.Command(hufu, args...)}
	p.cmd.Env = append(os.Environ(), "HUFU_LANG=en")
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	go func() {
		defer close(p.gone)
		p.err = p.cmd.Wait()
	}()
	return p
}

// says waits until the process has written what the pattern finds, and gives the pattern's group.
func (p *server) says(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	until(p.t, fmt.Sprintf("%v says %q", p.cmd.Args[1:], pattern), func() bool {
		select {
		case <-p.gone:
			p.t.Fatalf("%v ended with %v\n%s", p.cmd.Args, p.err, p.log)
		default:
		}
		found = re.FindStringSubmatch(p.log.String())
		return found != nil
	})
	return found[1]
}

// freeAddr is an address nobody listens at. A server needs to know its own before it listens,
// because the addresses it gives to browsers and gateways are made from it.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// browser starts Chromium with a new profile. Each tab opened from it is a person of its own.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("these journeys need Debian's package chromium:", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	opts := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir())}
	for _, flag := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"} {
		opts = append(opts, chromedp.Flag(flag, true))
	}
	ctx, closeAll := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(closeAll)
	ctx, closeBrowser := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until the profile is no longer written to
		closeBrowser()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// device is what somebody looks at the shop with.
type device struct {
	lang          i18n.Lang
	width, height int64
	phone, dark   bool
	noScript      bool
	strict        bool   // every word is to be English
	agent         string // in place of Chrome's
}

var (
	phone = device{lang: i18n.ZH, width: 390, height: 844, phone: true}
	desk  = device{lang: i18n.EN, width: 1280, height: 900, dark: true, strict: true}
)

const phoneAgent = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"

// tab is one page of a browser, with all that it asked for and complained about.
type tab struct {
	t      *testing.T
	ctx    context.Context
	device device
	hosts  []string // that it may ask; the first is the shop's

	mu       sync.Mutex
	bad      []string
	statuses []string // of refusals that belong to the journey
	asked    []string // addresses of documents, in order
	streams  int      // answers that stay open for what is pushed
	pushed   []string // names of events that came by push
	kinds    map[network.RequestID]network.ResourceType
	bytes    map[network.ResourceType]float64 // as they were transferred, with heads
}

// open opens a tab: of a new person, with no cookies, when near is a browser; beside
// another tab of the same person when near is that tab's context.
func open(t *testing.T, near context.Context, fresh bool, d device, hosts ...string) *tab {
	t.Helper()
	b := &tab{t: t, device: d, hosts: hosts, kinds: map[network.RequestID]network.ResourceType{}, bytes: map[network.ResourceType]float64{}}
	opts := []chromedp.ContextOption{chromedp.WithListener(b.hear)}
	if fresh {
		opts = append(opts, chromedp.WithNewBrowserContext())
	}
	ctx, cancel := chromedp.NewContext(near, opts...)
	b.ctx = ctx
	t.Cleanup(func() {
		b.complain()
		cancel()
	})
	agent := emulation.SetUserAgentOverrideParams{AcceptLanguage: string(d.lang)}
	if agent.UserAgent = phoneAgent; !d.phone {
		agent.UserAgent = strings.Replace(phoneAgent, "Linux; Android 14; Pixel 8", "X11; Linux x86_64", 1)
		agent.UserAgent = strings.Replace(agent.UserAgent, " Mobile", "", 1)
	}
	if d.agent != "" {
		agent.UserAgent = d.agent
	}
	scheme := "light"
	if d.dark {
		scheme = "dark"
	}
	b.do(chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
		if _, err := cdp.Call(ctx, at, emulation.SetUserAgentOverride, agent); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, at, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: d.width, Height: d.height, DeviceScaleFactor: 1, Mobile: d.phone}); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, at, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: d.noScript}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, at, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
	return b
}

// beside opens another tab of the same person.
func (b *tab) beside() *tab {
	b.t.Helper()
	return open(b.t, b.ctx, false, b.device, b.hosts...)
}

// hear keeps what the page says and does. It runs in the loop that reads the browser's messages.
func (b *tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		b.kinds[ev.RequestID] = ev.Type
		if ev.Type == network.ResourceTypeDocument {
			b.asked = append(b.asked, ev.Request.URL)
		}
		u, err := url.Parse(ev.Request.URL)
		if err != nil || (u.Scheme != "data" && u.Scheme != "blob" && !slices.Contains(b.hosts, u.Host)) {
			b.bad = append(b.bad, "a request to another host: "+ev.Request.URL)
		}
	case *network.EventLoadingFinished:
		b.bytes[b.kinds[ev.RequestID]] += ev.EncodedDataLength
	case *network.EventResponseReceived:
		if ev.Type == network.ResourceTypeEventSource && ev.Response.Status == 200 {
			b.streams++
		}
	case *network.EventEventSourceMessageReceived:
		b.pushed = append(b.pushed, ev.EventName)
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError && !b.forgiven(ev.Entry.Text) {
			b.bad = append(b.bad, fmt.Sprintf("%s: %s (%s)", ev.Entry.Source, ev.Entry.Text, ev.Entry.URL))
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeAssert {
			said, _ := json.Marshal(ev.Args)
			b.bad = append(b.bad, "console."+string(ev.Type)+": "+string(said))
		}
	case *runtime.EventExceptionThrown:
		b.bad = append(b.bad, "an exception: "+ev.ExceptionDetails.Text)
	}
}

func (b *tab) forgiven(text string) bool {
	return slices.ContainsFunc(b.statuses, func(status string) bool {
		return strings.Contains(text, "the server responded with a status of "+status)
	})
}

// expect says that an answer of this status belongs to the journey. The browser notes it in
// its console, as it does any refusal.
func (b *tab) expect(status string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.statuses = append(b.statuses, status)
}

// complain fails the test with what the page did that no page may.
func (b *tab) complain() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, bad := range b.bad {
		b.t.Errorf("%s", bad)
	}
	b.bad = nil
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// visit types an address, and checks the page that comes.
func (b *tab) visit(address string) {
	b.t.Helper()
	if status := b.status(address); status != 200 {
		b.t.Fatalf("%s is answered %d", address, status)
	}
	b.check()
}

// status types an address and gives the status of its answer.
func (b *tab) status(address string) int64 {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	res, err := chromedp.Run(ctx, chromedp.NavigateResponse(address))
	if err != nil {
		b.t.Fatalf("%s: %v", address, err)
	}
	return res.Status
}

// eval gives the value of an expression in the page; ok is false while there is no page
// that could have one.
func eval[T any](b *tab, expression string) (value T, ok bool) {
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	return value, err == nil
}

// value is eval in a page that stands still.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// quoted is a text as a literal of JavaScript.
func quoted(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

// await waits until an expression is true in the page, whatever pages come meanwhile.
func (b *tab) await(what, expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 15*time.Second)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		if ok, there := eval[bool](b, "!!("+expression+")"); ok && there {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			where, _ := eval[string](b, "location.href + '\\n' + document.body.innerText.slice(0, 3000)")
			b.shot("failed")
			b.t.Fatalf("waited in vain: %s, at %s", what, where)
		}
	}
}

// at waits until the browser shows the page whose path matches, and checks it.
func (b *tab) at(path string) {
	b.t.Helper()
	b.await("the page "+path, fmt.Sprintf("document.readyState === 'complete' && new RegExp(%s).test(location.pathname)", quoted("^"+path+"$")))
	b.check()
}

// shows waits until the page has a text.
func (b *tab) shows(text string) {
	b.t.Helper()
	b.await("the text "+text, fmt.Sprintf("document.readyState === 'complete' && document.body.innerText.includes(%s)", quoted(text)))
}

// says is shows for a message of the catalogue, in the language of the device.
func (b *tab) says(key string, params ...string) {
	b.t.Helper()
	if !i18n.Has(key) {
		b.t.Fatalf("there is no message %s", key)
	}
	b.shows(b.device.lang.T(key, params...))
}

// agrees ticks what has to be ticked before paying and isn't yet.
func (b *tab) agrees() {
	b.t.Helper()
	b.press("#agree")
	if value[bool](b, "!!document.querySelector('#accounts:not(:checked)')") {
		b.press("#accounts")
	}
}

// press clicks where the first visible element of a selector is. What covers it, a bar that
// stands on the page for instance, would get the click instead, and fails the test.
func (b *tab) press(selector string) {
	b.t.Helper()
	type spot struct {
		X, Y float64
		Why  string
	}
	var s spot
	b.await("something to press at "+selector, fmt.Sprintf(`document.readyState === 'complete' && [...document.querySelectorAll(%s)].some(e => e.checkVisibility() && e.getClientRects().length)`, quoted(selector)))
	s = value[spot](b, fmt.Sprintf(`(() => {
		const el = [...document.querySelectorAll(%s)].find(e => e.checkVisibility() && e.getClientRects().length);
		el.scrollIntoView({block: 'center', behavior: 'instant'});
		const r = el.getClientRects()[0], x = r.left + r.width / 2, y = r.top + r.height / 2, hit = document.elementFromPoint(x, y);
		const reached = hit && (el.contains(hit) || hit.closest('label')?.control === el);
		return {x, y, why: reached ? (el.disabled || el.ariaDisabled === 'true' ? 'it is disabled' : '') : 'it is covered by ' + (hit?.outerHTML ?? 'nothing').slice(0, 200)};
	})()`, quoted(selector)))
	if s.Why != "" {
		b.shot("failed")
		b.t.Fatalf("%s can't be pressed: %s", selector, s.Why)
	}
	b.do(chromedp.MouseClickXY(s.X, s.Y))
}

// fill puts text into a field as a keyboard or a paste does, instead of what is in it.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.press(selector)
	value[bool](b, "document.activeElement.select?.(), true")
	if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		b.t.Fatal(err)
	}
	if got := value[string](b, "document.activeElement.value"); got != text {
		b.t.Fatalf("%s holds %q instead of %q", selector, got, text)
	}
}

// choose chooses the option of a select whose label contains a text.
func (b *tab) choose(selector, label string) {
	b.t.Helper()
	if !value[bool](b, fmt.Sprintf(`(() => {
		const el = document.querySelector(%s), o = [...el.options].find(o => o.text.includes(%s));
		if (!o) return false;
		el.value = o.value;
		el.dispatchEvent(new Event('input', {bubbles: true}));
		el.dispatchEvent(new Event('change', {bubbles: true}));
		return true;
	})()`, quoted(selector), quoted(label))) {
		b.t.Fatalf("%s has no option %s", selector, label)
	}
}

// before fails the test unless everything that what selects, n or more elements, stands before the
// first element of then in the document.
func (b *tab) before(what, then string, n int) {
	b.t.Helper()
	type order struct{ Found, Before int }
	o := value[order](b, fmt.Sprintf(`(() => {
		const all = [...document.querySelectorAll(%s)].filter(e => e.checkVisibility()), end = document.querySelector(%s);
		return {found: all.length, before: all.filter(e => end && e.compareDocumentPosition(end) & Node.DOCUMENT_POSITION_FOLLOWING).length};
	})()`, quoted(what), quoted(then)))
	if o.Found < n || o.Before != o.Found {
		b.t.Errorf("%d of %d %s stand before %s, and %d should", o.Before, o.Found, what, then, n)
	}
}

// check fails the test with what no page may do, and with what every page must hold and this
// one doesn't.
func (b *tab) check() {
	b.t.Helper()
	for _, bad := range b.findings() {
		b.t.Error(bad)
	}
	b.complain()
}

// findings are what a page lacks that a person can't see at a glance.
func (b *tab) findings() []string {
	b.t.Helper()
	type finding struct {
		Where, Lang, Foreign string
		Bad                  []string
	}
	f := value[finding](b, `(() => {
		const bad = [], seen = {}, name = e => e.outerHTML.slice(0, 160);
		const words = e => (e.ariaLabel || [...(e.getAttribute('aria-labelledby') || '').split(' ')].map(i => document.getElementById(i)?.textContent || '').join('') || e.textContent || [...e.querySelectorAll('img')].map(i => i.alt).join('') || e.title).trim();
		for (const e of document.querySelectorAll('img')) if (!e.hasAttribute('alt')) bad.push('no alt: ' + name(e));
		for (const e of document.querySelectorAll('input:not([type=hidden]):not([type=submit]), select, textarea')) if (![...(e.labels || [])].some(l => l.textContent.trim()) && !e.ariaLabel && !e.getAttribute('aria-labelledby')) bad.push('no label: ' + name(e));
		for (const e of document.querySelectorAll('button, a[href], summary')) if (!words(e)) bad.push('no name: ' + name(e));
		for (const e of document.querySelectorAll('[id]')) { if (seen[e.id]) bad.push('twice the id ' + e.id); seen[e.id] = 1; }
		for (const e of document.querySelectorAll('button:not(.link), a.btn, .check, .choice, select, input.input')) { const r = e.getBoundingClientRect(); if (e.checkVisibility() && r.width > 1 && (r.width < 24 || r.height < 24)) bad.push('smaller than 24 px: ' + name(e)); }
		if (document.querySelectorAll('h1').length !== 1) bad.push(document.querySelectorAll('h1').length + ' h1');
		if (!document.title.trim()) bad.push('no title');
		if (document.documentElement.scrollWidth > innerWidth) bad.push('it is ' + document.documentElement.scrollWidth + ' px wide');
		const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), foreign = [];
		while (texts.nextNode()) if (/\p{Script=Han}/u.test(texts.currentNode.data) && !texts.currentNode.parentElement.closest('[lang^=zh]')) foreign.push(texts.currentNode.data.trim());
		return {foreign: foreign.join(' | '), where: location.href, lang: document.documentElement.lang, bad};
	})()`)
	if f.Lang != string(b.device.lang) {
		f.Bad = append(f.Bad, fmt.Sprintf("it says that it is in %q", f.Lang))
	}
	if b.device.strict && f.Foreign != "" && strings.HasPrefix(f.Where, "http://"+b.hosts[0]) { // a gateway's page is not ours
		f.Bad = append(f.Bad, "it has words of another language: "+f.Foreign)
	}
	for i := range f.Bad {
		f.Bad[i] = f.Where + ": " + f.Bad[i]
	}
	return f.Bad
}

// shot saves a picture of the page when HUFU_SHOTS names a folder.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("HUFU_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(b.t.Name(), "/", "-")+"-"+name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// heard gives what the tab asked for as pages, and what was pushed to it, so far.
func (b *tab) heard() (asked, pushed []string, streams int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.asked), slices.Clone(b.pushed), b.streams
}
