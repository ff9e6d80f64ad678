package secret_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"syncd/config/secret"
)

const word = "s3cr3t-external-id"

func TestSecretForms(t *testing.T) {
	s := secret.Secret(word)
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
	for want, id := range map[string]secret.ExternalID{
		"":                {},
		"[redacted]":      secret.PlainExternalID(word),
		"file:[redacted]": secret.FileExternalID("/run/id"),
		"env:[redacted]":  secret.EnvExternalID("ID"),
		"none":            secret.NoExternalID(),
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
		id      secret.ExternalID
		want    string
		wantErr string
	}{
		{"none", secret.ExternalID{}, "", ""},
		{"none on purpose", secret.NoExternalID(), "", ""},
		{"plain", secret.PlainExternalID(word), word, ""},
		{"file", secret.FileExternalID("/id"), word, ""},
		{"variable", secret.EnvExternalID("ID"), word, ""},
		{"no file", secret.FileExternalID("/none"), "", "read external_id.file: file does not exist"},
		{"no variable", secret.EnvExternalID("NONE"), "", "read external_id.env: the environment variable is not set"},
		{"bad file", secret.FileExternalID("/bad"), "", "read external_id.file: not only letters, digits and _+=,.@:/-"},
		{"long file", secret.FileExternalID("/long"), "", "read external_id.file: not 2 to 1224 characters long"},
		{"bad variable", secret.EnvExternalID("BAD"), "", "read external_id.env: not only letters, digits and _+=,.@:/-"},
		{"placeholder in a file", secret.FileExternalID("/placeholder"), "", "read external_id.file: the placeholder that syncd policy writes for an external id: replace it with the external id"},
		{"empty variable", secret.EnvExternalID("EMPTY"), "", "read external_id.env: not 2 to 1224 characters long"},
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
	_, err := secret.FileExternalID("/none").Resolve(lookupEnv, readFile)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want it to wrap the read error", err)
	}
}

// TestExternalIDIsReadAgain checks that Resolve reads the value at every call, so that a rotated
// external id is used the next time the role is assumed.
func TestExternalIDIsReadAgain(t *testing.T) {
	value := "first"
	lookupEnv := func(string) (string, bool) { return value, true }
	for _, want := range []string{"first", "second"} {
		value = want
		got, err := secret.EnvExternalID("ID").Resolve(lookupEnv, os.ReadFile)
		if err != nil || got.Reveal() != want {
			t.Errorf("got %q, %v, want %q", got.Reveal(), err, want)
		}
	}
}
