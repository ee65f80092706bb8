package console

import "testing"

func TestFileSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1 KB", 2990: "3 KB", 1 << 20: "1.0 MB", 52_950_000: "50.5 MB"} {
		if got := fileSize(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
}
