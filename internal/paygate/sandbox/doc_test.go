package sandbox

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"hufu/internal/paygate"
)

// The document's examples hold the adapter to the document, not to the gateway.
func TestTheDocumentsExamples(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/sandbox-gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(raw), "\n")
	after := func(start string, n int) (string, string) {
		for i, l := range lines {
			if strings.HasPrefix(l, start) {
				return strings.TrimPrefix(lines[i+2], "    "+signatureHeader+": "), strings.TrimSpace(lines[i+n])
			}
		}
		t.Fatalf("no example %q", start)
		return "", ""
	}
	g := fuzzGateway(t)
	sig, body := after("A notice:", 4)
	n, err := g.ParseNotice(http.Header{signatureHeader: {sig}}, []byte(body))
	if err != nil || n.Kind != paygate.NoticePaid || n.Amount != amount(1990, "CNY") || n.MerchantNo != "pay_01jd8x3vx8f8ps6v4p2h4k7q9e" {
		t.Errorf("%+v, %v", n, err)
	}
	sig, body = after("A call of", 4)
	made, v1 := g.sign("POST /v1/query", []byte(body))
	if made != sig {
		t.Errorf("the adapter signs %s, the document %s", made, sig)
	}
	sig, body = after("Its answer", 4)
	if err := g.verify(http.Header{signatureHeader: {sig}}, "RESPONSE 200 "+v1, []byte(body)); err != nil {
		t.Error(err)
	}
	c, err := g.Cashier(t.Context(), paygate.Charge{
		MerchantNo: "pay_01jd8x3vx8f8ps6v4p2h4k7q9e", Amount: amount(1990, "CNY"), Subject: "腾讯视频 VIP 月卡",
		NotifyURL: "http://127.0.0.1:8080/pay/notices/sandbox", ReturnURL: "http://127.0.0.1:8080/orders/1", ExpiresAt: time.Unix(1795350600, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(c.RedirectURL)
	if err != nil {
		t.Fatal(err)
	}
	if want := "sign=" + u.Query().Get("sign"); !strings.Contains(string(raw), want) {
		t.Errorf("the adapter signs the link with %s", want)
	}
}
