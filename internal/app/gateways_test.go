package app_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hufu/internal/app"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/paygate/sandbox/gateway"
	"hufu/internal/vault"
)

// S26, P6: a channel opens from a file that only its owner can read, in which every name is
// known and every key is one; what is wrong is said in a sentence.
func TestAChannelIsSetUpByAFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := gateway.OpenChannels(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	keys, store := filepath.Join(dir, "hufu.keys"), "sqlite:"+filepath.Join(dir, "hufu.db")
	if _, err := vault.CreateKeyFile(keys, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Migrate(t.Context(), app.Config{Store: store}); err != nil {
		t.Fatal(err)
	}
	open := func(file string) error {
		a, err := app.Open(t.Context(), app.Config{Store: store, KeyFile: keys, WeChat: file, WeChatURL: "http://127.0.0.1:9", Alipay: filepath.Join(dir, "alipay.json"), AlipayURL: "http://127.0.0.1:9"}, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer a.Close()
		if a.Flows.Offers("wechat") || a.Flows.Offers("alipay") || len(a.Flows.Channels()) != 2 {
			t.Errorf("before their self-test: %+v", a.Flows.Channels())
		}
		return nil
	}
	if err := open(filepath.Join(dir, "wechat.json")); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "wechat.json"))
	if err != nil {
		t.Fatal(err)
	}
	var good map[string]string
	if err := json.Unmarshal(raw, &good); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		code, says string
		change     func(map[string]string)
		mode       os.FileMode
	}{
		"others can read it": {"config.channel_exposed", "chmod 600", func(map[string]string) {}, 0o644},
		"a name misspelt":    {"config.channel_form", "apiv3_key", func(m map[string]string) { m["apiv3_key"] = m["api_v3_key"] }, 0o600},
		"a short key":        {"config.channel", "at least 32", func(m map[string]string) { m["api_v3_key"] = "short" }, 0o600},
		"no key":             {"config.channel", "no signing key", func(m map[string]string) { delete(m, "private_key") }, 0o600},
	} {
		changed := map[string]string{}
		for k, v := range good {
			changed[k] = v
		}
		c.change(changed)
		raw, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "wechat.json")
		if err := os.WriteFile(file, raw, c.mode); err != nil {
			t.Fatal(err)
		}
		err = open(file)
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", what, err, c.code)
			continue
		}
		for _, lang := range []i18n.Lang{i18n.ZH, i18n.EN} {
			if text := lang.Fault(fault.From(err)); strings.ContainsAny(text, "{}") || lang == i18n.EN && !strings.Contains(text, c.says) {
				t.Errorf("%s: says %q", what, text)
			}
		}
	}
	if err := open(filepath.Join(dir, "nothing.json")); fault.CodeOf(err) != "config.no_file" {
		t.Error(err)
	}
}
