// Package assets serves the style sheets, scripts and pictures that are built from design/
// and embedded in the program. Each is served under a name that holds a hash of its
// contents, so that browsers may keep it for ever and never show an old one.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed dist
var dist embed.FS

// Prefix is the path under which Handler is to be mounted.
const Prefix = "/assets/"

// file is one asset, ready to be sent.
type file struct {
	contentType string
	etag        string
	raw, zipped []byte // zipped is nil when it would not be smaller
}

type set struct {
	urls   map[string]string // "app.css" to "/assets/app.1a2b3c4d5e.css"
	files  map[string]*file  // by the last part of the URL
	latest map[string]string // "app.css" to "app.1a2b3c4d5e.css"
}

var all = load()

func load() set {
	s := set{urls: map[string]string{}, files: map[string]*file{}, latest: map[string]string{}}
	entries, err := fs.ReadDir(dist, "dist")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		raw, err := fs.ReadFile(dist, "dist/"+e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(raw)
		hash := hex.EncodeToString(sum[:5])
		ext := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hash + ext
		f := &file{contentType: contentType(ext), etag: `"` + hash + `"`, raw: raw}
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if _, err := z.Write(raw); err != nil {
			panic(err)
		}
		if err := z.Close(); err != nil {
			panic(err)
		}
		if b.Len() < len(raw) {
			f.zipped = b.Bytes()
		}
		s.urls[e.Name()] = Prefix + hashed
		s.latest[e.Name()] = hashed
		s.files[hashed] = f
	}
	return s
}

// contentType does not ask the machine's own table, which differs between machines.
func contentType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".wasm":
		return "application/wasm"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

// URL is where the asset of that name is served, for example URL("app.css"). It panics on a
// name that was not built: a page without its style sheet must not reach anybody.
func URL(name string) string {
	u, ok := all.urls[name]
	if !ok {
		panic("assets: nothing built is called " + name)
	}
	return u
}

// Size is the number of bytes of the asset as it travels, compressed.
func Size(name string) int {
	f := all.files[all.latest[name]]
	if f.zipped != nil {
		return len(f.zipped)
	}
	return len(f.raw)
}

// Handler serves the assets under Prefix. A name whose hash is that of another version
// answers 404 rather than with other contents than the page was made for.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := all.files[strings.TrimPrefix(r.URL.Path, Prefix)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.contentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", f.etag)
		h.Set("Vary", "Accept-Encoding")
		h.Set("X-Content-Type-Options", "nosniff")
		if match(r.Header.Get("If-None-Match"), f.etag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		body := f.raw
		if f.zipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			body = f.zipped
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method == http.MethodHead {
			return
		}
		_, _ = w.Write(body) // the reader is gone: nobody is left to tell
	})
}

func match(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == etag || part == "*" {
			return true
		}
	}
	return false
}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name != "gzip" && name != "*" {
			continue
		}
		q, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		if !ok {
			return true
		}
		v, err := strconv.ParseFloat(q, 64)
		return err == nil && v > 0
	}
	return false
}
