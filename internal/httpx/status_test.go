package httpx_test

import (
	"testing"

	"hufu/internal/fault"
	"hufu/internal/httpx"
)

func TestStatusOfEachKind(t *testing.T) {
	want := []int{500, 400, 401, 403, 404, 409, 410, 413, 429, 503, 200} // as fault declares its kinds
	for k := fault.Internal; k <= fault.None; k++ {
		if got := httpx.StatusOf(k); got != want[k] {
			t.Errorf("%v is answered with %d, want %d", k, got, want[k])
		}
	}
}
