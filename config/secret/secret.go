// Package secret holds the values of the configuration that must not be printed, and the places
// they are read from.
//
// It promises that nothing which prints a [Secret] or an [ExternalID] shows the value: fmt, slog,
// JSON and YAML write [redacted], errors leave out the value and the name of its file or variable,
// and only Reveal and Resolve give it out. When an external id is read, and from which environment,
// is left to the caller.
//
// Two words: an external id is what the trust policy of a role of another owner asks for; it is
// sent unless it is none or not set.
package secret

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Redacted stands in place of what is not printed.
const Redacted = "[redacted]"

// Secret is a text that must not be printed: fmt, slog, JSON and YAML all write [redacted]. Two
// places are beyond its reach: fmt reads unexported struct fields without asking their methods, and
// encoding/json the keys of maps.
type Secret string

// Reveal is the text itself.
func (s Secret) Reveal() string { return string(s) }

// String is [redacted].
func (Secret) String() string { return Redacted }

// GoString is [redacted].
func (Secret) GoString() string { return Redacted }

// Format writes [redacted] for every verb.
func (Secret) Format(w fmt.State, _ rune) { writeRedacted(w) }

// LogValue is [redacted].
func (Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText writes [redacted].
func (Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON writes "[redacted]".
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(Redacted) }

// MarshalYAML writes [redacted].
func (Secret) MarshalYAML() (any, error) { return Redacted, nil }

func writeRedacted(w io.Writer) { _, _ = io.WriteString(w, Redacted) }
