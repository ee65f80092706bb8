package web

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"image"
	"image/color"
	"image/png"

	"github.com/boombuler/barcode/qr"
)

// quiet is the white border a reader needs, in modules (ISO/IEC 18004: four).
const quiet = 4

// qrImage draws a text as a QR code. The picture is part of the page itself, so the text
// stands in no address and in no cache; being a picture it can be kept by a long press.
func qrImage(text, alt string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", err
	}
	const scale = 6
	n := code.Bounds().Dx()
	size := (n + 2*quiet) * scale
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	for y := range size {
		for x := range size {
			mx, my := x/scale-quiet, y/scale-quiet
			if mx >= 0 && my >= 0 && mx < n && my < n {
				if c, _, _, _ := code.At(mx, my).RGBA(); c == 0 {
					img.SetColorIndex(x, y, 1)
				}
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return "", err
	}
	return template.HTML(`<img src="data:image/png;base64,` + base64.StdEncoding.EncodeToString(b.Bytes()) + `" alt="` + template.HTMLEscapeString(alt) + `" width="200" height="200">`), nil
}
