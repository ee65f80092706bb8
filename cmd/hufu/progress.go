package main

import (
	"io"
	"os"
	"strconv"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"hufu/internal/i18n"
)

// bar shows how far a long piece of work is. On a terminal it is a line that changes: how
// much is done, how fast, and how long the rest takes. Elsewhere, as in a log, it is a line
// every few seconds.
type bar struct {
	out   io.Writer
	lang  i18n.Lang
	title string
	bar   *progressbar.ProgressBar
	last  time.Time // a line was written, or the work began
	every time.Duration
}

// lineEvery is how often progress is told where a line can't be changed.
const lineEvery = 5 * time.Second

// newBar shows work whose name is the message of a key.
func newBar(e *env, title string) *bar {
	return &bar{out: e.err, lang: e.lang, title: e.lang.T(title), last: time.Now(), every: lineEvery}
}

// at shows that so much is done; a total of -1 isn't known.
func (b *bar) at(done, total int64) {
	if f, ok := b.out.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		b.line(done, total)
		return
	}
	if b.bar == nil {
		b.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.out), progressbar.OptionSetDescription(b.title), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(30))
	}
	b.bar.ChangeMax64(total)
	_ = b.bar.Set64(done) // a terminal that can't be written to doesn't stop the work
}

func (b *bar) line(done, total int64) {
	now := time.Now()
	if now.Sub(b.last) < b.every {
		return
	}
	b.last = now
	key := "cli.progress"
	if total < 0 {
		key = "cli.progress_rows"
	}
	_, _ = io.WriteString(b.out, b.lang.T(key, "title", b.title, "done", strconv.FormatInt(done, 10), "total", strconv.FormatInt(total, 10))+"\n")
}

// clear takes the line away, for another to be printed.
func (b *bar) clear() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}

// end leaves the line as it is.
func (b *bar) end() {
	if b.bar != nil {
		_, _ = io.WriteString(b.out, "\n")
		b.bar = nil
	}
}
