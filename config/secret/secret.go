// Package secret defines the types of configuration values that must not be printed, and reads such
// values from files and environment variables.
//
// Printing a [Secret] or an [ExternalID] never shows the value: fmt, slog, JSON and YAML write
// [redacted], and errors omit the value and the name of its file or variable. Only Reveal and
// Resolve return the value. The caller chooses when to read an external id, and from which
// environment.
//
// Two terms: an external id is the value that the trust policy of another owner's role requires; it
// is sent unless it is none or not set.
package secret

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is written in place of a secret.
const Redacted = "[redacted]"

// Secret is text that must not be printed: fmt, slog, JSON and YAML all write [redacted]. There are
// two exceptions: fmt prints unexported struct fields without calling their methods, and
// encoding/json does the same with map keys.
type Secret string

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String returns [redacted].
func (Secret) String() string { return Redacted }

// GoString returns [redacted].
func (Secret) GoString() string { return Redacted }

// Format writes [redacted] for every verb.
func (Secret) Format(w fmt.State, _ rune) { writeRedacted(w) }

// LogValue returns [redacted].
func (Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText writes [redacted].
func (Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON writes "[redacted]".
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(Redacted) }

// MarshalYAML writes [redacted].
func (Secret) MarshalYAML() (any, error) { return Redacted, nil }

func writeRedacted(w io.Writer) { _, _ = io.WriteString(w, Redacted) }
