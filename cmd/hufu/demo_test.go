package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"hufu/internal/i18n"
)

// TestDemoTakesItsAddressFirst starts a demo where another program listens: it ends before
// it has made anything.
func TestDemoTakesItsAddressFirst(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := filepath.Join(t.TempDir(), "demo")
	status, out, errs := hufu(t, i18n.EN, "demo", "--listen", l.Addr().String(), "--data", dir)
	if status != 1 || out != "" || !strings.Contains(errs, "Another program is using the address "+l.Addr().String()) {
		t.Errorf("status %d, %q%q", status, out, errs)
	}
	if left, _ := filepath.Glob(dir); len(left) > 0 {
		t.Error("the folder was made all the same")
	}
}
