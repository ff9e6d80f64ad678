package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"syncd/config"
)

const word = "s3cr3t-external-id"

// Nothing that holds an external id prints it, whichever way it is printed.
func TestSecretsAreNotPrinted(t *testing.T) {
	c := parse(t, minimal(t)+"roles: {r: {arn: \"arn:aws:iam::111111111111:role/r\", external_id: \""+word+"\"}}\n")
	id := c.Roles["r"].ExternalID
	held := struct{ unexported config.Role }{c.Roles["r"]}
	for name, v := range map[string]any{
		"secret": config.Secret(word), "external id": id, "pointer to external id": &id, "role": c.Roles["r"],
		"configuration": c, "unexported role": held, "list": []config.Secret{word},
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

func TestSecretForms(t *testing.T) {
	s := config.Secret(word)
	if got := s.Reveal(); got != word {
		t.Errorf("Reveal: got %q, want %q", got, word)
	}
	for how, got := range map[string]string{"String": s.String(), "GoString": s.GoString(), "LogValue": s.LogValue().String()} {
		if want := "[redacted]"; got != want {
			t.Errorf("%s: got %q, want %q", how, got, want)
		}
	}
	if got, err := s.MarshalText(); err != nil || string(got) != "[redacted]" {
		t.Errorf("MarshalText: got %q, %v, want [redacted]", got, err)
	}
	text, err := json.Marshal(map[string]any{"id": s})
	if got, want := string(text), `{"id":"[redacted]"}`; err != nil || got != want {
		t.Errorf("JSON: got %s, %v, want %s", got, err, want)
	}
	if got, want := fmt.Sprintf("%s %v %d %#v", s, s, s, s), strings.Repeat("[redacted] ", 4); got+" " != want {
		t.Errorf("fmt: got %q, want %q", got, want)
	}
}

func TestExternalIDPrintsItsSource(t *testing.T) {
	for want, id := range map[string]config.ExternalID{
		"":                {},
		"[redacted]":      config.PlainExternalID(word),
		"file:[redacted]": config.FileExternalID("/run/id"),
		"env:[redacted]":  config.EnvExternalID("ID"),
		"none":            config.NoExternalID(),
	} {
		if got := fmt.Sprint(id); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := id.IsZero(), want == ""; got != want {
			t.Errorf("%v: got zero %v, want %v", id, got, want)
		}
		if got, want := id.Sent(), want != "" && want != "none"; got != want {
			t.Errorf("%v: got sent %v, want %v", id, got, want)
		}
	}
}

func TestExternalIDResolve(t *testing.T) {
	env := map[string]string{"ID": word, "BAD": "two words " + word, "EMPTY": ""}
	files := map[string]string{"/id": word + "\r\n", "/bad": word + "\n" + word, "/long": strings.Repeat("x", 1225), "/placeholder": "REPLACE_WITH_EXTERNAL_ID\n"}
	lookupEnv := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	readFile := func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, &os.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	for _, tt := range []struct {
		name    string
		id      config.ExternalID
		want    string
		wantErr string
	}{
		{"none", config.ExternalID{}, "", ""},
		{"none on purpose", config.NoExternalID(), "", ""},
		{"plain", config.PlainExternalID(word), word, ""},
		{"file", config.FileExternalID("/id"), word, ""},
		{"variable", config.EnvExternalID("ID"), word, ""},
		{"no file", config.FileExternalID("/none"), "", "read external_id.file: file does not exist"},
		{"no variable", config.EnvExternalID("NONE"), "", "read external_id.env: there is no environment variable of that name"},
		{"bad file", config.FileExternalID("/bad"), "", "read external_id.file: not only letters, digits and _+=,.@:/-"},
		{"long file", config.FileExternalID("/long"), "", "read external_id.file: not 2 to 1224 characters long"},
		{"bad variable", config.EnvExternalID("BAD"), "", "read external_id.env: not only letters, digits and _+=,.@:/-"},
		{"placeholder in a file", config.FileExternalID("/placeholder"), "", "read external_id.file: the placeholder that syncd policy writes in place of an external id: put the external id there"},
		{"empty variable", config.EnvExternalID("EMPTY"), "", "read external_id.env: not 2 to 1224 characters long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.id.Resolve(lookupEnv, readFile)
			if got.Reveal() != tt.want {
				t.Errorf("got %q, want %q", got.Reveal(), tt.want)
			}
			if errText := fmt.Sprint(err); tt.wantErr != "" && errText != tt.wantErr || tt.wantErr == "" && err != nil {
				t.Errorf("got error %q, want %q", errText, tt.wantErr)
			}
		})
	}
	_, err := config.FileExternalID("/none").Resolve(lookupEnv, readFile)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want it to wrap the error of reading", err)
	}
}

// Values are read at every call, so that a rotated external id is used at the next assume.
func TestExternalIDIsReadAgain(t *testing.T) {
	value := "first"
	lookupEnv := func(string) (string, bool) { return value, true }
	for _, want := range []string{"first", "second"} {
		value = want
		got, err := config.EnvExternalID("ID").Resolve(lookupEnv, os.ReadFile)
		if err != nil || got.Reveal() != want {
			t.Errorf("got %q, %v, want %q", got.Reveal(), err, want)
		}
	}
}

// The word none is no external id, and stays in what config show prints.
func TestExternalIDNone(t *testing.T) {
	for text, none := range map[string]bool{", external_id: none": true, ", external_id: \"none\"": true, ", external_id: nones": false, "": false} {
		c := parse(t, minimal(t)+"roles: {r: {arn: \"arn:aws:iam::111111111111:role/r\""+text+"}}\n")
		id := c.Roles["r"].ExternalID
		if got := id == config.NoExternalID(); got != none || got && id.Sent() {
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
