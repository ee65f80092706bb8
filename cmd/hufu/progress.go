package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar shows on a terminal how far a long piece of work is: how much is done, how fast, and
// how long the rest takes. Elsewhere it shows nothing.
type bar struct {
	out   io.Writer
	title string
	bar   *progressbar.ProgressBar
}

func newBar(out io.Writer, title string) *bar { return &bar{out: out, title: title} }

// at shows that so much is done.
func (b *bar) at(done, total int64) {
	if b.bar == nil {
		f, ok := b.out.(*os.File)
		if !ok || !term.IsTerminal(int(f.Fd())) {
			return
		}
		b.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.out), progressbar.OptionSetDescription(b.title), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(30))
	}
	b.bar.ChangeMax64(total)
	_ = b.bar.Set64(done) // a terminal that can't be written to doesn't stop the work
}

// end leaves the line as it is.
func (b *bar) end() {
	if b.bar != nil {
		_, _ = io.WriteString(b.out, "\n")
		b.bar = nil
	}
}
