package config_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/config/fault"
	"syncd/config/value"
)

// show returns what `syncd config show` prints on a machine where every variable is set and every
// file exists.
func show(t *testing.T, c *config.Config) string {
	t.Helper()
	text, err := c.Show(func(string) (string, bool) { return "x", true }, func(string) ([]byte, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestShowRoundTrip checks that loading the output of show gives the same configuration, including
// external ids that are not in the file itself.
func TestShowRoundTrip(t *testing.T) {
	for _, path := range append(examples(t), "testdata/every-key.yaml") {
		want, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		text := show(t, want)
		got := parse(t, text)
		if again := show(t, got); again != text {
			t.Errorf("%s: shown again (-first +second):\n%s", path, cmp.Diff(text, again))
		}
		want.State, want.HTTP.WebConfig = got.State, got.HTTP.WebConfig // absolute paths
		if diff := cmp.Diff(want, got, compare()); diff != "" {
			t.Errorf("%s: after a round trip (-want +got):\n%s", path, diff)
		}
	}
}

// TestShowQuotes checks texts that YAML would misread without quotes.
func TestShowQuotes(t *testing.T) {
	for _, text := range []string{
		"true", "no", "null", "~", "4711", "0o17", "0x1F", "1e3", ".inf", "2026-01-01", "12:30:00", "a: b", "a #b", "- a", "? a", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a",
		"{a", "[a", "a]", "'", "\"", "it's", "say \"x\"", "a\\b", " a", "a ", "a\tb", "a\nb", "\n", "a\r\nb", "\u0085", "\u2028", "\u202ea", "\x1b[31m", "\x7f", "é", "日本", "\U0001F600", "---", "...", "=", "<<", ",", "a,b", "", strings.Repeat("long ", 200),
	} {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse([]byte(strings.Replace(minimal(t), "bucket: owner-data", "bucket: owner-data\n      prefix: "+string(quoted), 1)), "syncd.yaml")
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if c.Mappings[0].Source.Prefix != text {
			t.Errorf("got %q from JSON, want %q", c.Mappings[0].Source.Prefix, text)
		}
		if g, err := value.ParseGlob(text); err == nil {
			c.Mappings[0].Filter.Exclude = []value.Glob{g}
		}
		c.Mappings[0].Copy.Tags.Only = []string{text[:min(len(text), 100)] + "x"}
		shown := show(t, c)
		again, err := config.Parse([]byte(shown), "shown.yaml")
		if err != nil || cmp.Diff(c.Mappings, again.Mappings, compare()) != "" {
			t.Errorf("%q: got %v after a round trip through\n%s", text, err, shown)
		}
	}
	for _, key := range []string{"true", "4711", "a: b", "- a", "@a", "=", "a:", ": a", "é", "a b", "<<", "null"} {
		quoted, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse([]byte(minimal(t)+"roles: {r: {arn: \"arn:aws:iam::111111111111:role/r\", tags: {"+string(quoted)+": x}}}\n"), "syncd.yaml")
		if err != nil {
			continue // STS does not accept this key
		}
		again, err := config.Parse([]byte(show(t, c)), "shown.yaml")
		if err != nil || cmp.Diff(c.Roles, again.Roles, compare()) != "" {
			t.Errorf("key %q: got %v after a round trip through\n%s", key, err, show(t, c))
		}
	}
}

// TestShowKeepsSecrets checks that show does not print a secret that a wrong template put into an
// external id, in any form of the setting.
func TestShowKeepsSecrets(t *testing.T) {
	absent := func(string) (string, bool) { return "", false }
	for _, form := range []string{"\"" + word + "\"", "{env: s3cr3t_external_id}", "{env: S3CR3TEXTERNALID}", "{file: \"" + word + "\"}", "{file: \"./" + word + "\"}"} {
		path := t.TempDir() + "/syncd.yaml"
		if err := os.WriteFile(path, []byte(minimal(t)+"roles: {r: {arn: \"arn:aws:iam::111111111111:role/r\", external_id: "+form+"}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := c.Show(absent, os.ReadFile)
		if err != nil || strings.Contains(strings.ToLower(string(text)), "s3cr3t") {
			t.Errorf("%s: got %v and\n%s, want no external id", form, err, text)
		}
		if _, err := config.Parse(text, "shown.yaml"); err == nil {
			t.Errorf("%s: the output of show loads without an external id", form)
		} else if faults, ok := errors.AsType[*fault.Faults](err); !ok || len(*faults) != 1 || !strings.HasPrefix((*faults)[0].Path, "roles.r.external_id") {
			t.Errorf("%s: got %v, want a fault of the external id", form, err)
		}
	}
}
