package config

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"syncd/config/secret"
	"syncd/config/value"
)

// Show writes the effective configuration, with every default, as YAML that loads to the same
// configuration. External ids are redacted. The name of the file or variable of an external id is
// shown only if it is certainly a name: the file or variable exists, or the text has the form of a
// name. Otherwise the text can be the external id itself, put there by a wrong template. The
// redacted text is not a valid value, so it cannot be loaded by accident.
func (c *Config) Show(lookupEnv func(string) (string, bool), readFile func(string) ([]byte, error)) ([]byte, error) {
	shown := *c
	if l, err := ParseLocation(c.State); err == nil && l.Dir != "" {
		shown.State = "file:" + absolute(l.Dir)
	}
	if c.HTTP.WebConfig != "" {
		shown.HTTP.WebConfig = absolute(c.HTTP.WebConfig)
	}
	if c.Control.Socket != "" && c.Control.Socket != SocketOff {
		shown.Control.Socket = absolute(c.Control.Socket)
	}
	external := func(e secret.ExternalID) ([]byte, error) { return reference(e, lookupEnv, readFile) }
	glob := func(g value.Glob) ([]byte, error) { return scalar(g.String()) }
	return yaml.MarshalWithOptions(&shown, yaml.CustomMarshaler(external), yaml.CustomMarshaler(scalar), yaml.CustomMarshaler(glob), yaml.CustomMarshaler(tagsInForce),
		yaml.IndentSequence(true))
}

// tagsInForce writes tags as the file does, with a list in brackets.
func tagsInForce(t Tags) ([]byte, error) {
	if t.Only == nil {
		return []byte(t.Carry), nil
	}
	return inJSON(t.form())
}

// plain matches text that does not need quotes in YAML, apart from reserved words.
var plain = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./:-]*[A-Za-z0-9_/-]$`)

// scalar writes text in quotes unless it certainly does not need them.
func scalar(text string) ([]byte, error) {
	words := []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
	if plain.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return []byte(text), nil
	}
	return inJSON(text)
}

// inJSON writes a value as JSON, which is valid YAML.
func inJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// reference writes an external id as the file does, without the id itself.
func reference(e secret.ExternalID, lookupEnv func(string) (string, bool), readFile func(string) ([]byte, error)) ([]byte, error) {
	key, name := e.Source(lookupEnv, readFile)
	if key == "" {
		return scalar(name)
	}
	if key == "file" && name != secret.Redacted {
		name = absolute(name)
	}
	text, err := scalar(name)
	return []byte("{" + key + ": " + string(text) + "}"), err
}

// absolute returns an absolute path, or path itself if that fails.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}
