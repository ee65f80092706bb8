package httpx

import "testing"

func TestLogPath(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "": "",
		"/orders/ord_01m82a561medv99sk6ne93trvz/events":    "/orders/ord_01m82a561medv99sk6ne93trvz/events",
		"/api/v1/gateways/sandbox/notices":                 "/api/v1/gateways/sandbox/notices",
		"/offers/iqiyi-gold-12m":                           "/offers/iqiyi-gold-12m",
		"/orders/CS6ZWIT57KISKUKKFBOPEG5A":                 "/orders/…",
		"/orders/hf7k-2m9q-4xtn-8bvc":                      "/orders/…",
		"/orders/13800001234/events":                       "/orders/…/events",
		"/orders/ord_01m82a561medv99sk6ne93trvz1":          "/orders/…",
		"/orders/\n2026 level=ERROR msg=forged":            "/orders/…",
		"/orders/ord_01m82a561medv99sk6ne93trvz?k=secret1": "/orders/…",
	} {
		if got := LogPath(path); got != want {
			t.Errorf("%q is logged as %q, not %q", path, got, want)
		}
	}
}
