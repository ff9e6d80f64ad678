package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// Show writes the configuration in force as YAML that loads to the same one, with every default in it. External ids are left out. Where
// one is read from is written when that is surely a name: the variable or the file is there, or has the form of a name. A template may
// have put the external id itself in its place. What is left out is no valid value, so that it cannot be loaded by accident.
func (c *Config) Show(lookupEnv func(string) (string, bool), readFile func(string) ([]byte, error)) ([]byte, error) {
	shown := *c
	if l, err := ParseLocation(c.State); err == nil && l.Dir != "" {
		shown.State = "file:" + absolute(l.Dir)
	}
	if c.HTTP.WebConfig != "" {
		shown.HTTP.WebConfig = absolute(c.HTTP.WebConfig)
	}
	external := func(e ExternalID) ([]byte, error) { return yaml.Marshal(e.reference(lookupEnv, readFile)) }
	return yaml.MarshalWithOptions(&shown, yaml.CustomMarshaler(external), yaml.IndentSequence(true))
}

// reference is the form of an external id in the file, without the id itself.
func (e ExternalID) reference(lookupEnv func(string) (string, bool), readFile func(string) ([]byte, error)) any {
	switch {
	case e.file != nil:
		path := e.file.Reveal()
		if _, err := readFile(path); err == nil || errors.Is(err, fs.ErrPermission) || filepath.IsAbs(path) && !e.relative {
			return map[string]string{"file": absolute(path)}
		}
	case e.env != nil:
		name := e.env.Reveal()
		if _, ok := lookupEnv(name); ok || name == strings.ToUpper(name) && strings.Contains(name, "_") {
			return map[string]string{"env": name}
		}
	}
	return e.form()
}

// absolute is a path for readers in any folder.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}
