package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"syncd/config"
	"syncd/config/secret"
)

const word = "s3cr3t-external-id"

// TestSecretsAreNotPrinted checks that no print format shows an external id, in whatever Go value
// the id is.
func TestSecretsAreNotPrinted(t *testing.T) {
	c := parse(t, minimal(t)+"roles: {r: {arn: \"arn:aws:iam::111111111111:role/r\", external_id: \""+word+"\"}}\n")
	id := c.Roles["r"].ExternalID
	held := struct{ unexported config.Role }{c.Roles["r"]}
	for name, v := range map[string]any{
		"secret": secret.Secret(word), "external id": id, "pointer to external id": &id, "role": c.Roles["r"],
		"configuration": c, "unexported role": held, "list": []secret.Secret{word},
	} {
		t.Run(name, func(t *testing.T) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
				mustNotHold(t, verb, fmt.Sprintf(verb, v))
			}
			if text, err := json.Marshal(v); err == nil {
				mustNotHold(t, "JSON", string(text))
			}
			if text, err := yaml.Marshal(v); err == nil {
				mustNotHold(t, "YAML", string(text))
			}
			for form, handler := range map[string]func(*bytes.Buffer) slog.Handler{
				"slog JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
				"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			} {
				var out bytes.Buffer
				slog.New(handler(&out)).Info("printed", "value", v)
				mustNotHold(t, form, out.String())
			}
		})
	}
}

func mustNotHold(t *testing.T, how, text string) {
	t.Helper()
	for _, form := range []string{word, fmt.Sprintf("%x", word), fmt.Sprintf("%X", word)} {
		if strings.Contains(text, form) {
			t.Errorf("%s: got %s, want no secret in it", how, text)
		}
	}
}

// TestExternalIDNone checks that external_id: none sends no external id, and that config show
// prints the setting.
func TestExternalIDNone(t *testing.T) {
	for text, none := range map[string]bool{", external_id: none": true, ", external_id: \"none\"": true, ", external_id: nones": false, "": false} {
		c := parse(t, minimal(t)+"roles: {r: {arn: \"arn:aws:iam::111111111111:role/r\""+text+"}}\n")
		id := c.Roles["r"].ExternalID
		if got := id == secret.NoExternalID(); got != none || got && id.Sent() {
			t.Errorf("%s: got none %v, sent %v, want none %v and then nothing sent", text, got, id.Sent(), none)
		}
		shown, err := yaml.Marshal(c.Roles["r"])
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(shown), "external_id: none"); got != none {
			t.Errorf("%s: got %s, want external_id: none in it %v", text, shown, none)
		}
	}
}
