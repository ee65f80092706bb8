// Package demo holds the shop that "hufu demo" opens with: a catalogue as a film and TV
// membership shop has it, and codes in the form in which suppliers send theirs.
package demo

import (
	"bufio"
	"crypto/rand"
	_ "embed" // for Catalogue
	"io"
	"time"
)

// Catalogue is the demo shop's catalogue file; see catalogue.File for its format. Each of
// its stocks of kind "codes" waits for an import.
//
//go:embed catalogue.json
var Catalogue []byte

// Codes is how many codes each stock of the catalogue opens with, as a shop has it that
// sells a month more often than a year; one is below its low mark. They are 100,000.
var Codes = map[string]int{
	"tencent-video-month":      12_958,
	"tencent-video-season":     1_040,
	"tencent-video-year":       3_918,
	"tencent-video-svip-month": 1_346,
	"tencent-video-svip-year":  1_019,
	"iqiyi-month":              9_598,
	"iqiyi-season":             1_015,
	"iqiyi-year":               3_263,
	"iqiyi-platinum-month":     1_308,
	"iqiyi-platinum-year":      994,
	"youku-month":              1_287,
	"youku-year":               3_023,
	"youku-tv-month":           1_283,
	"mango-tv-week":            956,
	"mango-tv-month":           4_918,
	"mango-tv-year":            952,
	"mango-tv-screen-month":    1_245,
	"bilibili-month":           1_241,
	"bilibili-year":            3_983,
	"migu-diamond-month":       1_224,
	"netease-music-month":      3_198,
	"netease-music-year":       897,
	"netease-music-svip-month": 1_203,
	"qq-music-month":           2_718,
	"qq-music-year":            876,
	"qq-music-super-month":     1_182,
	"ximalaya-month":           1_165,
	"ximalaya-year":            1_108,
	"weread-season":            1_388,
	"weread-year":              851,
	"zhihu-month":              1_144,
	"zhihu-year":               830,
	"dedao-listening-year":     813,
	"baidu-netdisk-month":      1_119,
	"baidu-netdisk-year":       792,
	"wps-super-month":          1_098,
	"wps-super-year":           771,
	"wps-lingxi-month":         1_064,
	"keep-month":               1_060,
	"keep-year":                733,
	"eleme-card-month":         1_039,
	"maoyan-40":                2_278,
	"maoyan-imax-80":           712,
	"taopiaopiao-any":          1_828,
	"meituan-15":               4_268,
	"eleme-10":                 708,
	"didi-20":                  2_553,
	"didi-airport-50":          691,
	"kfc-meal":                 1_528,
	"kfc-coffee":               687,
	"luckin-29":                1_099,
	"starbucks-grande":         670,
	"switch-online-year":       43,
	"app-store-50":             666,
	"iqiyi-cloud-early":        649,
}

// CodesHeader is the first line of what WriteCodes writes.
const CodesHeader = "card_number,password,expiry"

const (
	symbols        = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // no I, L, O or U, which are read as others
	numberLength   = 16                                 // 80 bits: no two alike in any demo
	passwordLength = 12                                 // 60 bits
)

// WriteCodes writes a supplier's file of n codes as CSV: a line each with card number,
// password and the last day on which it can be redeemed. The codes come from the
// system's secure random source, so no two files hold the same.
func WriteCodes(w io.Writer, n int, lastDay time.Time) error {
	out := bufio.NewWriterSize(w, 1<<16)
	if _, err := out.WriteString(CodesHeader + "\n"); err != nil {
		return err
	}
	end := "," + lastDay.Format(time.DateOnly) + "\n"
	var random [numberLength + passwordLength]byte
	var line []byte
	for range n {
		rand.Read(random[:]) // never fails
		line = line[:0]
		for i, b := range random {
			if i == numberLength {
				line = append(line, ',')
			}
			line = append(line, symbols[b%32])
		}
		if _, err := out.Write(append(line, end...)); err != nil {
			return err
		}
	}
	return out.Flush()
}
