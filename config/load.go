package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"syncd/config/decode"
	"syncd/config/document"
	"syncd/config/fault"
)

// Load reads, validates and checks the configuration file at path. It resolves relative paths (of
// the state, the control socket, external ids and the web configuration) against the folder of the
// file. If the file has faults, the error is a *fault.Faults; any other error is about reading it.
func Load(path string, checks ...Check) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return parse(data, path, filepath.Dir(path), checks)
}

// Read is like Load for a configuration that is not a file, such as standard input. Faults show
// name in place of the path, and relative paths are resolved against folder.
func Read(r io.Reader, name, folder string, checks ...Check) (*Config, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read configuration from %s: %w", name, err)
	}
	return parse(data, name, folder, checks)
}

// Parse decodes and validates a configuration. Faults show name in place of the path of the file.
// The error, if any, is a *fault.Faults with every fault, including those found by the checks.
// Relative paths stay unchanged.
func Parse(data []byte, name string, checks ...Check) (*Config, error) {
	return parse(data, name, "", checks)
}

// parse resolves relative paths against folder, unless folder is "".
func parse(data []byte, name, folder string, checks []Check) (*Config, error) {
	r := fault.NewReport(name)
	c := Default()
	if doc := document.Parse(data, "external_id", r); doc != nil {
		decode.Decode(doc, &c, decode.Schema{Default: setDefault, MayHold: mayHold}, r)
		v := validator{Report: r, Config: &c}
		validate(&v)
		if folder != "" {
			c.resolvePaths(folder)
		}
		for _, check := range checks {
			check(&c, &v)
		}
	}
	if faults := r.Faults(); faults != nil {
		return nil, faults
	}
	c.warnings = r.Warnings()
	return &c, nil
}

// mayLookUnfilled matches the config paths of settings that contain object keys or tags. Bucket
// owners choose these freely, so they can look like placeholders.
var mayLookUnfilled = regexp.MustCompile(`\.prefix$|\.filter\.|\.tags[.\[]`)

// mayHold reports whether text that looks like a placeholder may be intended, because it is part of
// an object key or a tag.
func mayHold(path, text string) bool {
	if rest, ok := strings.CutPrefix(text, "s3://"); ok && path == "state" {
		bucket, _, _ := strings.Cut(rest, "/")
		return decode.Unfilled(bucket) == ""
	}
	return mayLookUnfilled.MatchString(path)
}

func (c *Config) resolvePaths(folder string) {
	if l, err := ParseLocation(c.State); err == nil && l.Dir != "" {
		c.State = "file:" + resolve(folder, l.Dir)
	}
	if c.HTTP.WebConfig != "" {
		c.HTTP.WebConfig = resolve(folder, c.HTTP.WebConfig)
	}
	if c.Control.Socket != "" && c.Control.Socket != SocketOff {
		c.Control.Socket = resolve(folder, c.Control.Socket)
	}
	for name, r := range c.Roles {
		r.ExternalID = r.ExternalID.In(folder)
		c.Roles[name] = r
	}
}

func resolve(folder, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}
