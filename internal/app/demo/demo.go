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
	"tencent-video-month": 18_240,
	"tencent-video-year":  6_315,
	"iqiyi-month":         15_480,
	"iqiyi-year":          5_260,
	"youku-year":          4_875,
	"mango-tv-month":      7_930,
	"bilibili-year":       6_420,
	"netease-music-month": 5_160,
	"qq-music-month":      4_385,
	"ximalaya-year":       1_790,
	"weread-season":       2_240,
	"maoyan-40":           3_675,
	"taopiaopiao-any":     2_950,
	"meituan-15":          6_880,
	"didi-20":             4_120,
	"kfc-meal":            2_465,
	"luckin-29":           1_772,
	"switch-online-year":  43,
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
