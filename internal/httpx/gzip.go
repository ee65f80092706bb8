package httpx

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// leastZipped is from how many bytes on compressing pays.
const leastZipped = 1024

var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return z
}}

// Gzip compresses pages for browsers that take it. What must not be stored is left as it
// is: such answers hold secrets, and compressed together with what a stranger chose their
// length tells of them (BREACH).
func Gzip(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead || !takesGzip(r.Header.Get("Accept-Encoding")) {
			next.ServeHTTP(w, r)
			return
		}
		z := &zipped{ResponseWriter: w}
		defer z.close()
		next.ServeHTTP(z, r)
	})
}

func takesGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name != "gzip" {
			continue
		}
		q, weighed := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		v, err := strconv.ParseFloat(q, 64)
		return !weighed || (err == nil && v > 0)
	}
	return false
}

type zipped struct {
	http.ResponseWriter
	out     *gzip.Writer
	started bool
}

func (z *zipped) WriteHeader(status int) {
	if status >= 200 && !z.started {
		z.started = true
		if z.worth(status) {
			h := z.Header()
			h.Del("Content-Length")
			h.Set("Content-Encoding", "gzip")
			z.out = zippers.Get().(*gzip.Writer)
			z.out.Reset(z.ResponseWriter)
		}
	}
	z.ResponseWriter.WriteHeader(status)
}

func (z *zipped) worth(status int) bool {
	h := z.Header()
	if status == http.StatusNoContent || status == http.StatusNotModified || h.Get("Content-Encoding") != "" {
		return false
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if kind != "text/html" && kind != "application/json" && kind != "image/svg+xml" {
		return false
	}
	h.Add("Vary", "Accept-Encoding")
	n, err := strconv.Atoi(h.Get("Content-Length"))
	return (err != nil || n >= leastZipped) && !strings.Contains(h.Get("Cache-Control"), "no-store")
}

func (z *zipped) Write(b []byte) (int, error) {
	if !z.started {
		z.WriteHeader(http.StatusOK)
	}
	if z.out == nil {
		return z.ResponseWriter.Write(b)
	}
	return z.out.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (z *zipped) Unwrap() http.ResponseWriter { return z.ResponseWriter }

// Flush sends what was written so far.
func (z *zipped) Flush() {
	if z.out != nil {
		_ = z.out.Flush()
	}
	_ = http.NewResponseController(z.ResponseWriter).Flush()
}

func (z *zipped) close() {
	if z.out != nil {
		_ = z.out.Close() // the reader is gone: nobody is left to tell
		z.out.Reset(nil)
		zippers.Put(z.out)
	}
}
