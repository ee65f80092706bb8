package ui

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// CoverPrefix is the path under which CoverHandler is to be mounted.
const CoverPrefix = "/covers/"

// coverVersion is part of the URL: raise it when drawings change, since browsers keep
// covers for ever.
const coverVersion = "1"

// CoverURL is where the generated cover of a thing is served.
func CoverURL(id string) string {
	return CoverPrefix + coverVersion + "/" + url.PathEscape(id) + ".svg"
}

// CoverHandler serves generated covers under CoverPrefix. Any id has one: it says nothing
// about whether such a thing exists, and costs no look-up.
func CoverHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.Path, CoverPrefix+coverVersion+"/")
		id, svg := strings.CutSuffix(rest, ".svg")
		if !ok || !svg || id == "" || len(id) > 128 || strings.Contains(id, "/") {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		body := Cover(id)
		h.Set("Content-Type", "image/svg+xml")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'none'; sandbox")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // the reader is gone: nobody is left to tell
	})
}

// palette is the light of one scene, from the top of the sky to the nearest thing.
type palette struct{ top, mid, low, glow, far, near, spark string }

var palettes = []palette{
	{"#0f1630", "#3b3463", "#c96a5b", "#ffd9a0", "#4a3a62", "#14162a", "#ffe7c2"}, // dusk
	{"#0b1f2b", "#145260", "#e0a458", "#ffe3ad", "#1c4a55", "#081820", "#fff0cf"}, // teal and amber
	{"#1b0f14", "#5c1f24", "#c8372d", "#ffb27a", "#4a1a1f", "#12090c", "#ffd9b8"}, // cinnabar
	{"#101a16", "#1f4d40", "#7fb08a", "#e9f3c9", "#234c41", "#0a1411", "#f4fbe0"}, // jade
	{"#17110a", "#5a3c18", "#d9a441", "#ffe9b5", "#553a1a", "#110c06", "#fff3d2"}, // bronze
	{"#120f26", "#3a2a7a", "#b15cc0", "#ffc3e6", "#392a6d", "#0d0a1d", "#ffe1f4"}, // neon
	{"#0d1420", "#27425f", "#8fb6cf", "#f2f6f2", "#2e4a66", "#0a0f18", "#ffffff"}, // winter
	{"#20131f", "#6d2f52", "#e58a7b", "#ffe0c4", "#5b2b4b", "#170c16", "#fff0e2"}, // rose
	{"#061826", "#0f4c81", "#3fa7d6", "#fef6d8", "#17456d", "#04101a", "#e9f8ff"}, // deep blue
	{"#1c1206", "#8a3d12", "#f08a3c", "#fff0b8", "#6b3212", "#150c04", "#ffe9c9"}, // ember
	{"#0e1a1c", "#3f6b62", "#e7c98f", "#fff7e0", "#44685f", "#0b1415", "#fffdf2"}, // celadon
	{"#191321", "#51406f", "#d8a8a0", "#fff1e0", "#493a63", "#110d17", "#fdf1ff"}, // wisteria
}

// Cover draws the picture of an offer from its id: the same id always has the same cover.
// It is a scene from no film in particular, 480 by 320, about two to six kilobytes.
func Cover(id string) []byte {
	d := &drawing{rand: newDice(id)}
	d.p = palettes[d.rand.n(len(palettes))]
	scenes := []func(){d.moonrise, d.sea, d.beam, d.curtain, d.city, d.orbit, d.dunes, d.seats, d.aurora, d.reel, d.rain, d.gate}
	scene := scenes[d.rand.n(len(scenes))]
	d.f(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 320" width="480" height="320" preserveAspectRatio="xMidYMid slice"><defs>`)
	d.linear("s", 0, d.p.top, 0.55, d.p.mid, 1, d.p.low)
	d.radial("g", d.p.glow, 0.95, 0.35)
	d.f(`<linearGradient id="b" x2="0" y2="1"><stop offset="0" stop-color="%s" stop-opacity="0"/><stop offset="1" stop-color="%s" stop-opacity=".92"/></linearGradient>`, d.p.near, d.p.near)
	d.f(`<radialGradient id="v" cx=".5" cy=".45" r=".8"><stop offset=".55" stop-opacity="0"/><stop offset="1" stop-opacity=".5"/></radialGradient>`)
	d.f(`</defs><path fill="url(#s)" d="M0 0h480v320H0z"/>`)
	scene()
	d.f(`<path fill="url(#v)" d="M0 0h480v320H0z"/></svg>`)
	return []byte(d.b.String())
}

// dice are the drawing's own choices: SHA-256 of the id, stretched by a counter, so that they don't
// depend on the version of any random generator.
type dice struct {
	seed [32]byte
	i    uint64
}

func newDice(id string) *dice { return &dice{seed: sha256.Sum256([]byte(id))} }

func (r *dice) u64() uint64 {
	// splitmix64 (Steele, Lea, Flood 2014) over a seed that the id decides.
	r.i++
	z := binary.LittleEndian.Uint64(r.seed[:8]) + r.i*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *dice) n(n int) int              { return int(r.u64() % uint64(n)) }
func (r *dice) f(lo, hi float64) float64 { return lo + (hi-lo)*float64(r.u64()>>11)/(1<<53) }

type drawing struct {
	b    strings.Builder
	rand *dice
	p    palette
}

func (d *drawing) f(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

func (d *drawing) linear(id string, stops ...any) {
	d.f(`<linearGradient id="%s" x2="0" y2="1">`, id)
	for i := 0; i < len(stops); i += 2 {
		d.f(`<stop offset="%v" stop-color="%v"/>`, stops[i], stops[i+1])
	}
	d.f(`</linearGradient>`)
}

func (d *drawing) radial(id, color string, from, mid float64) {
	d.f(`<radialGradient id="%s"><stop offset="0" stop-color="%s" stop-opacity="%.2f"/><stop offset=".4" stop-color="%s" stop-opacity="%.2f"/><stop offset="1" stop-color="%s" stop-opacity="0"/></radialGradient>`, id, color, from, color, mid, color)
}

func (d *drawing) glow(x, y, r float64) {
	d.f(`<circle cx="%.0f" cy="%.0f" r="%.0f" fill="url(#g)"/>`, x, y, r)
}

func (d *drawing) disc(x, y, r float64, color string, opacity float64) {
	d.f(`<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s" opacity="%.2f"/>`, x, y, r, color, opacity)
}

func (d *drawing) stars(n int, below float64) {
	d.f(`<g fill="%s">`, d.p.spark)
	for range n {
		d.f(`<circle cx="%.0f" cy="%.0f" r="%.1f" opacity="%.2f"/>`, d.rand.f(0, 480), d.rand.f(4, below), d.rand.f(0.4, 1.3), d.rand.f(0.25, 0.95))
	}
	d.f(`</g>`)
}

// ridge is a line of hills across the picture, filled down to its foot.
func (d *drawing) ridge(base, height, rough float64, color string, opacity float64) {
	a, b, c := d.rand.f(0, 7), d.rand.f(0, 7), d.rand.f(0, 7)
	d.f(`<path fill="%s" opacity="%.2f" d="M0 320V%.0f`, color, opacity, base)
	for x := 0.0; x <= 480; x += 12 {
		t := x / 480 * math.Pi * 2
		y := base - height*(0.5+0.5*math.Sin(t*0.9+a))*(0.6+0.4*math.Sin(t*2.3+b)) - rough*math.Sin(t*7+c) - rough*0.6*math.Sin(t*13+a)
		d.f(`L%.0f %.1f`, x, y)
	}
	d.f(`V320z"/>`)
}

func (d *drawing) figure(x, y, h float64, color string) {
	d.f(`<g fill="%s" transform="translate(%.1f %.1f) scale(%.2f)"><circle cx="0" cy="-17.6" r="2.3"/><path d="M-3-14.5q3-1.5 6 0l1.2 7-1.8.2L1.8 0h-1.3L0-6.5-.5 0h-1.3l-.6-7.3-1.8-.2z"/></g>`, color, x, y, h/20)
}

func (d *drawing) moonrise() {
	x, y, r := d.rand.f(130, 350), d.rand.f(90, 140), d.rand.f(38, 58)
	d.stars(34, 170)
	d.glow(x, y, r*3.6)
	d.disc(x, y, r, d.p.glow, 0.96)
	d.disc(x-r*0.3, y-r*0.2, r*0.22, d.p.low, 0.18)
	d.disc(x+r*0.25, y+r*0.3, r*0.15, d.p.low, 0.16)
	d.ridge(230, 70, 5, d.p.far, 0.55)
	d.ridge(256, 58, 4, d.p.far, 0.9)
	d.ridge(290, 44, 3, d.p.near, 0.8)
	d.ridge(316, 34, 2, d.p.near, 1)
	if d.rand.n(2) == 0 {
		d.figure(d.rand.f(120, 360), 290, 26, d.p.near)
	}
}

func (d *drawing) sea() {
	x, y, r := d.rand.f(150, 330), 176.0, d.rand.f(46, 72)
	d.glow(x, y, r*3.4)
	d.disc(x, y, r, d.p.glow, 0.98)
	for i := range 3 {
		d.f(`<ellipse cx="%.0f" cy="%.0f" rx="%.0f" ry="%.1f" fill="%s" opacity=".18"/>`, d.rand.f(40, 440), 60+float64(i)*34+d.rand.f(0, 14), d.rand.f(70, 150), d.rand.f(3, 7), d.p.spark)
	}
	d.f(`<path fill="%s" d="M0 190h480v130H0z"/><path fill="url(#b)" d="M0 190h480v130H0z"/>`, d.p.far)
	d.f(`<g fill="%s">`, d.p.glow)
	for i := range 13 {
		yy := 194 + float64(i)*float64(i)*0.62 + float64(i)*1.6
		w := r*(1.5-float64(i)*0.06) + d.rand.f(-16, 16)
		d.f(`<rect x="%.0f" y="%.1f" width="%.0f" height="%.1f" rx="1.5" opacity="%.2f"/>`, x-w/2+d.rand.f(-12, 12), yy, w, 1.4+float64(i)*0.2, 0.75-float64(i)*0.05)
	}
	d.f(`</g>`)
	bx := x + d.rand.f(-120, 120)
	d.f(`<path fill="%s" d="M%.0f 222h52l-9 11h-34zM%.0f 219v-46l26 42zM%.0f 219v-34l-15 34z"/>`, d.p.near, bx-26, bx+1, bx-2)
}

func (d *drawing) beam() {
	d.f(`<path fill="%s" opacity=".72" d="M0 0h480v320H0z"/>`, d.p.near)
	sx, sy := d.rand.f(30, 70), d.rand.f(40, 70)
	d.f(`<linearGradient id="w"><stop offset="0" stop-color="%s" stop-opacity=".95"/><stop offset="1" stop-color="%s" stop-opacity=".12"/></linearGradient>`, d.p.glow, d.p.glow)
	d.f(`<path fill="url(#w)" d="M%.0f %.0fL480 %.0fV%.0fz"/>`, sx, sy, d.rand.f(70, 110), d.rand.f(250, 300))
	d.f(`<path fill="url(#w)" opacity=".6" d="M%.0f %.0fL480 150V210z"/>`, sx, sy)
	d.glow(sx, sy, 90)
	d.disc(sx, sy, 9, "#fff", 0.95)
	d.f(`<g fill="%s">`, d.p.spark)
	for range 46 {
		t := d.rand.f(0.15, 1)
		d.f(`<circle cx="%.0f" cy="%.0f" r="%.1f" opacity="%.2f"/>`, sx+(480-sx)*t, sy+(d.rand.f(40, 230))*t, d.rand.f(0.5, 1.9), d.rand.f(0.2, 0.85))
	}
	d.f(`</g>`)
	d.heads(300)
}

// heads is a row of people seen from behind.
func (d *drawing) heads(y float64) {
	for x := -10.0; x < 500; x += d.rand.f(40, 54) {
		h := d.rand.f(-5, 7)
		d.f(`<path fill="%s" d="M%.0f 330v%.0fq2-18 14-20 -7-5-7-13a13 13 0 0 1 26 0q0 8-7 13 12 2 14 20v40z"/>`, d.p.near, x, y-330+h)
	}
}

func (d *drawing) curtain() {
	d.f(`<path fill="%s" d="M0 0h480v320H0z"/>`, d.p.near)
	d.glow(240, 150, d.rand.f(180, 230))
	top, w := d.rand.f(140, 340), d.rand.f(90, 120)
	d.f(`<path fill="%s" opacity=".16" d="M%.0f-40 %.0f 270h%.0fz"/>`, d.p.glow, top, 240-w, w*2)
	d.f(`<ellipse cx="240" cy="268" rx="%.0f" ry="17" fill="%s" opacity=".85"/>`, w, d.p.glow)
	d.f(`<linearGradient id="c"><stop offset="0" stop-color="%s"/><stop offset=".5" stop-color="%s"/><stop offset="1" stop-color="%s"/></linearGradient>`, d.p.mid, d.p.low, d.p.mid)
	n, open := 6, d.rand.f(96, 140)
	for side := range 2 {
		d.f(`<g%s>`, []string{"", ` transform="matrix(-1 0 0 1 480 0)"`}[side])
		for i := n - 1; i >= 0; i-- {
			x0, w := float64(i)*open/float64(n), open/float64(n)+6
			sway := float64(i) * 7
			d.f(`<path fill="url(#c)" d="M%.0f 0h%.0fq%.0f 150-6 320h-%.0fq10-170 0-320z"/>`, x0, w, 14-sway*0.5, w)
		}
		d.f(`</g>`)
	}
	d.f(`<path fill="%s" d="M0 0h480v26`, d.p.mid)
	for i := range 8 {
		d.f(`q-30 %d-60 0`, 26+i%2*6)
	}
	d.f(`z"/><path fill="%s" d="M0 288h480v32H0z"/>`, d.p.near)
	d.figure(240, 270, 62, d.p.near)
}

func (d *drawing) city() {
	d.stars(20, 110)
	x, y := d.rand.f(120, 360), d.rand.f(90, 130)
	d.glow(x, y, 190)
	d.disc(x, y, d.rand.f(44, 64), d.p.glow, 0.9)
	for layer := range 3 {
		color, op := d.p.far, 0.55+0.25*float64(layer)
		if layer == 2 {
			color, op = d.p.near, 1
		}
		type window struct{ x, y float64 }
		var lit []window
		for bx := -10.0; bx < 480; {
			w, h := d.rand.f(24, 56), d.rand.f(50, 140)+float64(2-layer)*34
			top := 320 - h + float64(layer)*10
			d.f(`<path fill="%s" opacity="%.2f" d="M%.0f 320V%.0fh%.0fV320z"/>`, color, op, bx, top, w)
			if d.rand.n(4) == 0 {
				d.f(`<path fill="%s" opacity="%.2f" d="M%.0f %.0fv-22h2v22z"/>`, color, op, bx+w/2, top)
			}
			if layer > 0 {
				for wy := top + 8; wy < 312; wy += 11 {
					for wx := bx + 6; wx < bx+w-6; wx += 9 {
						if d.rand.n(7) == 0 && len(lit) < 60 {
							lit = append(lit, window{wx, wy})
						}
					}
				}
			}
			bx += w + d.rand.f(0, 5)
		}
		d.f(`<g fill="%s" opacity="%.2f">`, d.p.glow, 0.35+0.25*float64(layer))
		for _, l := range lit {
			d.f(`<path d="M%.0f %.0fh3.5v5h-3.5z"/>`, l.x, l.y)
		}
		d.f(`</g>`)
	}
}

func (d *drawing) orbit() {
	d.stars(70, 320)
	x, y, r := d.rand.f(170, 310), d.rand.f(140, 180), d.rand.f(62, 86)
	d.glow(x, y, r*2.6)
	d.f(`<radialGradient id="o" cx=".32" cy=".3" r=".85"><stop offset="0" stop-color="%s"/><stop offset=".5" stop-color="%s"/><stop offset="1" stop-color="%s"/></radialGradient>`, d.p.glow, d.p.low, d.p.near)
	tilt := d.rand.f(-28, 28)
	ring := func(half string) {
		d.f(`<g fill="none" stroke="%s" transform="rotate(%.0f %.0f %.0f)"><path stroke-width="9" opacity=".5" d="M%.0f %.0fa%.0f %.0f 0 0 %s %.0f 0"/><path stroke-width="2.5" opacity=".85" d="M%.0f %.0fa%.0f %.0f 0 0 %s %.0f 0"/></g>`,
			d.p.spark, tilt, x, y, x-r*1.75, y, r*1.75, r*0.42, half, r*3.5, x-r*2, y, r*2, r*0.5, half, r*4)
	}
	ring("1")
	d.f(`<circle cx="%.0f" cy="%.0f" r="%.0f" fill="url(#o)"/>`, x, y, r)
	ring("0")
	d.f(`<circle cx="%.0f" cy="%.0f" r="%.0f" fill="url(#o)"/>`, x+d.rand.f(-200, -120), y+d.rand.f(-90, 90), d.rand.f(10, 20))
}

func (d *drawing) dunes() {
	x, y, r := d.rand.f(110, 370), d.rand.f(96, 136), d.rand.f(54, 84)
	d.glow(x, y, r*3)
	d.disc(x, y, r, d.p.glow, 0.97)
	for i := range 5 {
		base := 196 + float64(i)*28
		k := d.rand.f(-60, 60)
		color, op := d.p.far, 0.4+float64(i)*0.15
		if i >= 3 {
			color, op = d.p.near, 0.7+0.3*float64(i-3)
		}
		d.f(`<path fill="%s" opacity="%.2f" d="M0 320V%.0fC%.0f %.0f %.0f %.0f 480 %.0fV320z"/>`, color, op, base+d.rand.f(-12, 18), 150+k, base-46-d.rand.f(0, 26), 300+k, base+36, base-d.rand.f(0, 28))
	}
	d.figure(d.rand.f(150, 330), 262, 24, d.p.near)
}

func (d *drawing) seats() {
	d.f(`<path fill="%s" opacity=".8" d="M0 0h480v320H0z"/>`, d.p.near)
	d.glow(240, 110, 250)
	d.f(`<clipPath id="k"><path d="M72 34h336v148H72z"/></clipPath><g clip-path="url(#k)"><path fill="url(#s)" d="M0 34h480v160H0z"/>`)
	sx := d.rand.f(170, 310)
	d.disc(sx, 126, d.rand.f(26, 42), d.p.glow, 0.98)
	d.f(`<path fill="%s" opacity=".8" d="M72 182V150l60-30 50 28 56-44 70 46 46-22 54 30v24z"/></g>`, d.p.far)
	d.f(`<path fill="none" stroke="%s" stroke-width="1.5" opacity=".5" d="M72 34h336v148H72z"/>`, d.p.spark)
	for row := range 3 {
		y, w := 216+float64(row)*38, 38+float64(row)*9
		color := []string{d.p.mid, d.p.far, d.p.near}[row]
		for x := -w/2 - float64(row%2)*w/2; x < 500; x += w + 5 {
			d.f(`<path fill="%s" d="M%.0f 330V%.0fq0-14 12-14h%.0fq12 0 12 14V330z"/>`, color, x, y+12, w-24)
		}
	}
}

func (d *drawing) aurora() {
	d.stars(50, 200)
	for i := range 4 {
		y := 60 + float64(i)*26 + d.rand.f(-10, 10)
		d.f(`<path fill="none" stroke="%s" stroke-width="%.0f" stroke-linecap="round" opacity="%.2f" d="M-40 %.0fC100 %.0f 180 %.0f 280 %.0fS440 %.0f 520 %.0f"/>`,
			[]string{d.p.glow, d.p.low, d.p.spark, d.p.low}[i], d.rand.f(16, 44), d.rand.f(0.14, 0.34), y+30, y-d.rand.f(20, 70), y+d.rand.f(40, 90), y, y-d.rand.f(20, 60), y+10)
	}
	d.ridge(250, 50, 4, d.p.far, 0.8)
	for layer := range 2 {
		for x := -10.0; x < 490; x += d.rand.f(13, 27) {
			h, y := d.rand.f(30, 66)+float64(layer)*14, 296+float64(layer)*26
			w := h * 0.2
			d.f(`<path fill="%s" opacity="%.2f" d="M%.0f %.0fl%.0f %.0fh-%.0fl%.0f %.0fh-%.0fl%.0f %.0fh-%.0fz"/>`, d.p.near, 0.75+0.25*float64(layer), x, y-h, w*0.7, h*0.4, w*0.25, w*0.6, h*0.34, w*0.3, w*0.55, h*0.5, w*3.6)
		}
	}
	d.f(`<path fill="%s" d="M0 306h480v14H0z"/>`, d.p.near)
}

func (d *drawing) reel() {
	x, y, r := d.rand.f(300, 360), d.rand.f(140, 180), d.rand.f(112, 132)
	d.glow(x, y, r*2)
	d.disc(x, y, r, d.p.near, 0.88)
	d.f(`<circle cx="%.0f" cy="%.0f" r="%.0f" fill="none" stroke="%s" stroke-width="5"/>`, x, y, r-5, d.p.low)
	d.f(`<circle cx="%.0f" cy="%.0f" r="%.0f" fill="none" stroke="%s" stroke-width="1.5" opacity=".6"/>`, x, y, r*0.9, d.p.spark)
	turn := d.rand.f(0, 72)
	for i := range 5 {
		a := (turn + float64(i)*72) * math.Pi / 180
		d.disc(x+math.Cos(a)*r*0.56, y+math.Sin(a)*r*0.56, r*0.22, d.p.low, 0.95)
		d.f(`<circle cx="%.1f" cy="%.1f" r="%.1f" fill="none" stroke="%s" stroke-width="1.5" opacity=".7"/>`, x+math.Cos(a)*r*0.56, y+math.Sin(a)*r*0.56, r*0.22, d.p.spark)
	}
	d.disc(x, y, r*0.13, d.p.glow, 1)
	// The strip runs off the reel to the left, with its frames and its holes.
	top := y + r - 62
	path := fmt.Sprintf("M%.0f %.0fC%.0f %.0f 120 %.0f -20 %.0f", x, top+31, x-120, top+48, top-26, top+4)
	d.f(`<g fill="none"><path stroke="%s" stroke-width="62" d="%s"/><path stroke="%s" stroke-width="36" stroke-dasharray="44 7" opacity=".9" d="%s"/>`, d.p.near, path, d.p.mid, path)
	for _, o := range []string{"-25", "25"} {
		d.f(`<path stroke="%s" stroke-width="6" stroke-dasharray="6 8" opacity=".85" transform="translate(0 %s)" d="%s"/>`, d.p.spark, o, path)
	}
	d.f(`</g>`)
}

func (d *drawing) rain() {
	x := d.rand.f(150, 330)
	d.f(`<path fill="%s" opacity=".5" d="M0 0h480v320H0z"/>`, d.p.near)
	d.glow(x, 88, 170)
	d.f(`<path fill="%s" opacity=".2" d="M%.0f 84l-96 200h200z"/>`, d.p.glow, x)
	d.f(`<path fill="%s" d="M%.0f 300V92q0-16 16-16h18v5h-16q-12 0-12 12v207z"/>`, d.p.near, x-40)
	d.f(`<path fill="%s" d="M%.0f 76h26l6 12h-38z"/>`, d.p.near, x-13)
	d.disc(x, 91, 9, d.p.spark, 1)
	d.f(`<path fill="%s" d="M0 284h480v36H0z"/><ellipse cx="%.0f" cy="290" rx="110" ry="9" fill="%s" opacity=".55"/>`, d.p.near, x+4, d.p.glow)
	d.f(`<g stroke="%s" stroke-width="1" opacity=".42">`, d.p.spark)
	for range 60 {
		px, py, l := d.rand.f(-20, 490), d.rand.f(-10, 280), d.rand.f(10, 26)
		d.f(`<path d="M%.0f %.0fl-%.0f %.0f"/>`, px, py, l*0.22, l)
	}
	d.f(`</g>`)
	fx := x + d.rand.f(10, 34)
	d.figure(fx, 290, 66, d.p.near)
	d.f(`<path fill="%s" d="M%.0f 232a34 22 0 0 1 68 0q-8-5-17 0-8-5-17 0-8-5-17 0-8-5-17 0z"/><path stroke="%s" stroke-width="2" d="M%.0f 226v42"/>`, d.p.far, fx-30, d.p.near, fx+4)
}

// gate is a pavilion before a great sun.
func (d *drawing) gate() {
	y, r := d.rand.f(150, 170), d.rand.f(92, 116)
	d.glow(240, y, r*2.2)
	d.disc(240, y, r, d.p.glow, 0.96)
	d.ridge(262, 60, 4, d.p.far, 0.6)
	d.f(`<g fill="%s">`, d.p.near)
	for tier := range 3 {
		w := 70 + float64(tier)*32
		ty := 150 + float64(tier)*42
		d.f(`<path d="M%.0f %.0fq%.0f-3 %.0f-22h%.0fq10 19 %.0f 22l-8 6H%.0fz"/>`, 240-w, ty, w*0.34, w*0.42, w*1.16, w*0.42, 248-w)
		d.f(`<path d="M%.0f %.0fh%.0fv26h-%.0fz"/>`, 240-w*0.56, ty, w*1.12, w*1.12)
	}
	d.f(`<path d="M237 104h6v28h-6zM236 104l4-14 4 14zM118 260h244v60H118z"/></g>`)
	d.f(`<g fill="%s" opacity=".8"><path d="M222 262h36v58h-36z"/><path d="M196 238h8v14h-8zM276 238h8v14h-8zM214 196h7v12h-7zM259 196h7v12h-7z"/></g>`, d.p.low)
	d.f(`<path fill="url(#b)" d="M0 220h480v100H0z"/>`)
	for range 5 {
		x, y := d.rand.f(60, 420), d.rand.f(40, 110)
		d.f(`<path fill="none" stroke="%s" stroke-width="1.8" stroke-linecap="round" d="M%.0f %.0fq4-5 7 0q3-5 7 0"/>`, d.p.near, x, y)
	}
}
