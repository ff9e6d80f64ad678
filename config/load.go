package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
)

// Load reads the configuration file at path. Relative paths in it, of state and of external ids, are taken from the
// file's own folder. A file that is at fault is a *Faults; any other error is about reading it.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c, err := Parse(data, path)
	if err != nil {
		return nil, err
	}
	c.resolvePaths(filepath.Dir(path))
	return c, nil
}

// Parse decodes and validates a configuration, with name as the file's name in faults. The error, if any, is a *Faults
// with everything that is wrong. Relative paths stay as they are.
func Parse(data []byte, name string) (*Config, error) {
	r := &report{file: name, lines: map[string]int{}, hidden: newHidden()}
	c := Default()
	if doc := parseDocument(data, r); doc != nil {
		doc.hideExternalIDs(doc.root, r.hidden)
		d := decoder{document: doc, report: r}
		d.decode(doc.root, reflect.ValueOf(&c).Elem(), "")
		v := validator{report: r, Config: &c}
		v.validate()
	}
	if faults := r.sorted(); faults != nil {
		return nil, faults
	}
	return &c, nil
}

func (c *Config) resolvePaths(folder string) {
	if l, err := ParseLocation(c.State); err == nil && l.Dir != "" {
		c.State = "file:" + resolve(folder, l.Dir)
	}
	if c.Control.Socket != "" && c.Control.Socket != SocketOff {
		c.Control.Socket = resolve(folder, c.Control.Socket)
	}
	for name, r := range c.Roles {
		if file := r.ExternalID.file; file != nil {
			r.ExternalID = FileExternalID(resolve(folder, file.Reveal()))
			c.Roles[name] = r
		}
	}
}

func resolve(folder, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}
