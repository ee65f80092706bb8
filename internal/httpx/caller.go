package httpx

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"hufu/internal/fault"
	"hufu/internal/i18n"
)

// Caller is what is known of who sent a request.
type Caller struct {
	Lang  i18n.Lang
	Trace string
	IP    netip.Addr // invalid when it can't be told
}

type callerKey struct{}

// WithCaller puts the caller into a request's context.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf finds the caller in a request's context; without one it is an unknown Chinese
// speaker.
func CallerOf(ctx context.Context) Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return *c
	}
	return Caller{Lang: i18n.ZH}
}

// ParseProxies reads address ranges separated by commas. A lone address is a range of one.
func ParseProxies(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			a, err := netip.ParseAddr(part)
			if err != nil {
				return nil, fault.Wrap(err, fault.Invalid, "http.proxies", "range", part)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func within(proxies []netip.Prefix, a netip.Addr) bool {
	for _, p := range proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func address(text string) netip.Addr {
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr().Unmap()
	}
	a, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

// ClientIP is the address a request came from. X-Forwarded-For is believed only as far as
// configured proxies wrote it: it is read from its end, and the first address that isn't a
// proxy's own is the client. Nobody else's header is looked at (S49).
func ClientIP(r *http.Request, proxies []netip.Prefix) netip.Addr {
	at := address(r.RemoteAddr)
	if !within(proxies, at) {
		return at
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop := address(hops[i])
		if !hop.IsValid() {
			return at // what stands before a broken entry can't be trusted
		}
		if at = hop; !within(proxies, at) {
			return at
		}
	}
	return at
}
