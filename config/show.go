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

// Show writes the configuration in force as YAML that loads to the same one, with every default in
// it. External ids are left out. Where one is read from is written when that is surely a name: the
// variable or the file is there, or has the form of a name. A template may have put the external id
// itself in its place. What is left out is no valid value, so that it cannot be loaded by accident.
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

// tagsInForce is the form of the file, of which a list is in brackets.
func tagsInForce(t Tags) ([]byte, error) {
	if t.Only == nil {
		return []byte(t.Carry), nil
	}
	return inJSON(t.form())
}

// plain matches texts that need no quotes, whatever else they look like to a reader of YAML.
var plain = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./:-]*[A-Za-z0-9_/-]$`)

// scalar writes a text in quotes unless it surely is one without.
func scalar(text string) ([]byte, error) {
	words := []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
	if plain.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return []byte(text), nil
	}
	return inJSON(text)
}

// inJSON writes a value in JSON, which YAML reads too.
func inJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// reference is the form of an external id in the file, without the id itself.
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

// absolute is a path for readers in any folder.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}
