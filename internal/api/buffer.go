package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
)

// buffer is a body on its way in or out, with the encoder that writes to it.
type buffer struct {
	bytes.Buffer
	json *json.Encoder
}

type bufferPool struct{ pool sync.Pool }

var buffers bufferPool

// maxPooled keeps one large body from holding its memory for ever.
const maxPooled = 64 << 10

// Get gives an empty buffer.
func (p *bufferPool) Get() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		return b
	}
	b := new(buffer)
	b.json = json.NewEncoder(&b.Buffer)
	b.json.SetEscapeHTML(false)
	return b
}

// Put takes a buffer back; what was in it is no longer valid.
func (p *bufferPool) Put(b *buffer) {
	if b.Cap() <= maxPooled {
		b.Reset()
		p.pool.Put(b)
	}
}

func (b *buffer) encode(v any) error { return b.json.Encode(v) }

func (b *buffer) send(w http.ResponseWriter, status int) { send(w, status, b.Bytes()) }

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the reader is gone: nobody is left to tell
}
