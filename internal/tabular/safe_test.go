package tabular

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

func newBuf(s string) *bufio.Reader { return bufio.NewReaderSize(strings.NewReader(s), 16) }

// S46: no cell that is written begins as a formula does, and nothing else about it changes.
func TestNoFormulaIsEverWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.String(), rapid.StringMatching(`[=+\-@\t\r\x00＝＋－＠'" ,\n][a-z"]{0,4}`))
		table := rapid.SliceOfN(rapid.SliceOfN(cell, 2, 2), 1, 8).Draw(t, "table")
		var b bytes.Buffer
		w := NewWriter(&b, false)
		for _, row := range table {
			if err := w.Row(row...); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		got, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range got {
			for j, c := range row {
				if Formula(c) {
					t.Fatalf("%q came out as %q", table[i][j], c)
				}
				// encoding/csv reads CR LF inside quotes as LF.
				if want := strings.ReplaceAll(SafeCell(table[i][j]), "\r\n", "\n"); c != want && strings.ToValidUTF8(c, "") == c {
					t.Fatalf("%q came out as %q", want, c)
				}
			}
		}
	})
}

func TestSafeCell(t *testing.T) {
	for in, want := range map[string]string{"": "", "abc": "abc", "=1+1": "'=1+1", "+86": "'+86", "-1": "'-1", "@a": "'@a", "\ta": "'\ta", "\ra": "'\ra", "\x00": "'\x00", "＝a": "'＝a", "a=b": "a=b", " =1": "' =1", "\u00a0=1": "'\u00a0=1", "\u3000@x": "'\u3000@x", "\u200b=1": "'\u200b=1", "\ufeff+1": "'\ufeff+1", " a=1": " a=1", " ": " "} {
		if got := SafeCell(in); got != want {
			t.Errorf("SafeCell(%q) = %q", in, got)
		}
	}
}

func TestWrittenTableIsReadBack(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, true)
	table := [][]string{{"行", "问题"}, {"1", "a,\"b\"\nc"}, {"2", "x"}}
	for _, row := range table {
		if err := w.Row(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	r := open(t, b.String(), Options{})
	if got := readAll(t, r); !reflect.DeepEqual(got, table[1:]) || !reflect.DeepEqual(r.Layout().Heading, table[0]) {
		t.Errorf("%q under %q", got, r.Layout().Heading)
	}
}

func csvOf(rows int) []byte {
	var b bytes.Buffer
	b.WriteString("卡号,密码,到期\n")
	for i := range rows {
		fmt.Fprintf(&b, "JD%012d,7KQ2-9XHM-%08d,2027-12-31\n", i, i*7)
	}
	return b.Bytes()
}

func count(t testing.TB, data []byte) int {
	r, err := Open(bytes.NewReader(data), int64(len(data)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		if _, err := r.Next(); err == io.EOF {
			return n
		} else if err != nil {
			t.Fatal(err)
		}
		n++
	}
}

// Memory does not grow with the file: reading ten times the rows leaves the heap's peak
// where it was.
func TestMemoryDoesNotGrow(t *testing.T) {
	data := csvOf(200_000)
	r := openBytes(t, data, Options{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := 0; ; i++ {
		if _, err := r.Next(); err != nil {
			break
		}
		if i == 150_000 {
			runtime.GC()
			runtime.ReadMemStats(&after)
		}
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("%d bytes more are held after 150,000 rows", grown)
	}
	runtime.KeepAlive(data)
}

func BenchmarkMillionRowsCSV(b *testing.B) {
	data := csvOf(1_000_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if n := count(b, data); n != 1_000_000 {
			b.Fatal(n)
		}
	}
}

func BenchmarkHundredThousandRowsXLSX(b *testing.B) {
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	for i := range 100_000 {
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), []any{fmt.Sprintf("JD%012d", i), fmt.Sprintf("7KQ2-%08d", i*7), "2027-12-31"}); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	out, err := f.WriteToBuffer()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := count(b, out.Bytes()); n != 100_000 {
			b.Fatal(n)
		}
	}
}
