package httpx

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"hufu/internal/fault"
	"hufu/internal/i18n"
)

// Options say how requests are received.
type Options struct {
	Log     *slog.Logger
	Proxies []netip.Prefix                                // whose X-Forwarded-For and X-Request-Id are believed
	Lang    func(*http.Request) i18n.Lang                 // nil goes by Accept-Language
	Free    func(*http.Request) bool                      // requests that Rate doesn't count: gateways' notices; may be nil
	Rate    *Rate                                         // nil limits nothing
	HTTPS   bool                                          // browsers reach us by https: tell them to keep to it
	Context func(context.Context, Caller) context.Context // puts the caller where a face looks for it; may be nil
	// Fail answers with an error in the form of the face that the request is for.
	Fail func(http.ResponseWriter, *http.Request, error)
}

// Handler wraps all of a process's faces.
func Handler(next http.Handler, o Options) http.Handler {
	if o.Lang == nil {
		o.Lang = func(r *http.Request) i18n.Lang { return i18n.Match(r.Header.Get("Accept-Language")) }
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		c := &Caller{Lang: o.Lang(r), IP: ClientIP(r, o.Proxies)}
		c.Trace = traceOf(r, len(o.Proxies) > 0 && within(o.Proxies, address(r.RemoteAddr)))
		ctx := WithCaller(r.Context(), c)
		if o.Context != nil {
			ctx = o.Context(ctx, *c)
		}
		r = r.WithContext(ctx)
		a := &answer{ResponseWriter: w}
		h := w.Header()
		h.Set("X-Request-Id", c.Trace)
		h.Set("X-Content-Type-Options", "nosniff")
		if o.HTTPS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		defer func() {
			if p := recover(); p != nil {
				o.caught(a, r, c.Trace, p)
			}
			if o.Log.Enabled(ctx, slog.LevelInfo) {
				o.Log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("trace", c.Trace), slog.String("method", r.Method), slog.String("path", LogPath(r.URL.Path)),
					slog.Int("status", a.code()), slog.Int64("bytes", a.bytes), slog.Duration("took", time.Since(start)), slog.String("ip", c.IP.String()))
			}
		}()
		if o.Rate != nil && (o.Free == nil || !o.Free(r)) {
			if wait := o.Rate.Take(c.IP, start); wait > 0 {
				o.Fail(a, r, TooMany(h, wait))
				return
			}
		}
		next.ServeHTTP(a, r)
	})
}

// caught turns a panic into an error page, or when half an answer is out, cuts the
// connection so that nobody takes it for a whole one.
func (o Options) caught(a *answer, r *http.Request, trace string, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	o.Log.ErrorContext(r.Context(), "a request panicked", "trace", trace, "path", LogPath(r.URL.Path), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	if a.status != 0 {
		panic(http.ErrAbortHandler)
	}
	o.Fail(a, r, fault.New(fault.Internal, "internal", "trace", trace))
}

// answer remembers what was answered, for the log.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Flush lets a stream of events go out at once.
func (a *answer) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }

func (a *answer) code() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}
