package gateway

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The examples of the protocol's document were computed by other means (Python's hmac), so
// they hold the gateway to the document and not to itself.
func TestTheDocumentsExamples(t *testing.T) {
	raw, err := os.ReadFile("../../../../docs/sandbox-gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	found := regexp.MustCompile(`(?m)^    Hufu-Sandbox-Signature: (t=\d+,v1=([0-9a-f]{64}))\n\n    (\{.*\})$`).FindAllStringSubmatch(doc, -1)
	if len(found) != 3 {
		t.Fatalf("%d examples", len(found))
	}
	at := time.Unix(1795349700, 0)
	for i, scope := range []string{"NOTICE", "POST /v1/query", "RESPONSE 200 " + found[1][2]} {
		if _, ok := admits([]string{secret}, found[i][1], at, scope, []byte(found[i][3])); !ok {
			t.Errorf("example %d is wrong", i+1)
		}
	}
	_, body := SignNotice(secret, at, Notice{
		ID: "ev_5e1f2a3b4c5d6e7f8091a2b3c4d5", Type: "trade", MerchantID: "m_hufu", AppID: "app_1", OutTradeNo: "pay_01jd8x3vx8f8ps6v4p2h4k7q9e",
		TransactionID: "sb0a1b2c3d4e5f60718293a4b5c6d7", State: "PAID", Amount: 1990, Currency: "CNY", OccurredAt: at,
	})
	if string(body) != found[0][3] {
		t.Errorf("the gateway writes %s", body)
	}
	q := url.Values{}
	_, part, _ := strings.Cut(doc, "A link for ")
	for _, pair := range regexp.MustCompile("`([a-z_]+)=([^`]+)`").FindAllStringSubmatch(part, 9) {
		q.Set(pair[1], pair[2])
	}
	q.Set("sign", regexp.MustCompile(`sign=([0-9a-f]{64})`).FindStringSubmatch(part)[1])
	if !linkSigned([]string{secret}, q) {
		t.Errorf("the link's example is wrong: %v", q)
	}

	// Each switch and each fault of an answer is explained.
	_, part, _ = strings.Cut(doc, "## Journal and faults")
	for _, name := range switchNames {
		if !strings.Contains(part, "`"+name+"`") {
			t.Errorf("the document doesn't explain %s", name)
		}
	}
	for how := range AnswerFaults {
		if !strings.Contains(part, "`"+how+"`") {
			t.Errorf("the document doesn't explain the answer %s", how)
		}
	}
}
