package secret

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
)

// None is how the file says that a role needs no external id.
const None = "none"

// ExternalID is where the external id of a role is found: in the configuration itself, in a file,
// or in an environment variable. It prints which of these, and neither a value nor a name: a
// template may have put the secret itself where the name of a variable or of a file belongs. The
// zero ExternalID is none at all.
type ExternalID struct {
	// Pointers, because fmt prints the unexported fields of a struct by reflection, past Secret's
	// methods; of a pointer inside a struct it prints the address.
	plain, file, env *Secret
	none             bool
	relative         bool // the file was named by a path without the folder that In put before it
}

// PlainExternalID is an external id that stands in the configuration itself.
func PlainExternalID(value Secret) ExternalID { return ExternalID{plain: &value} }

// FileExternalID is an external id read from a file; space around it is not part of it.
func FileExternalID(path string) ExternalID { return ExternalID{file: new(Secret(path))} }

// EnvExternalID is an external id read from an environment variable.
func EnvExternalID(name string) ExternalID { return ExternalID{env: new(Secret(name))} }

// NoExternalID is the deliberate absence of an external id, "none" in the file: it is sent none, as
// by the zero ExternalID, and nobody is warned.
func NoExternalID() ExternalID { return ExternalID{none: true} }

// IsZero reports whether the configuration says nothing of an external id.
func (e ExternalID) IsZero() bool { return e == ExternalID{} }

// Sent reports whether an external id is sent.
func (e ExternalID) Sent() bool { return !e.IsZero() && !e.none }

// String names the kind of the source: file:[redacted], env:[redacted], [redacted] for a value in
// the configuration, none, or nothing.
func (e ExternalID) String() string {
	switch {
	case e.plain != nil:
		return Redacted
	case e.file != nil:
		return "file:" + Redacted
	case e.env != nil:
		return "env:" + Redacted
	case e.none:
		return None
	default:
		return ""
	}
}

// GoString is String.
func (e ExternalID) GoString() string { return e.String() }

// Format writes String for every verb.
func (e ExternalID) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, e.String()) }

// LogValue is String.
func (e ExternalID) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalJSON writes what MarshalYAML writes, as JSON.
func (e ExternalID) MarshalJSON() ([]byte, error) { return json.Marshal(e.form()) }

// MarshalYAML writes the form the file has, with [redacted] in place of values and names.
func (e ExternalID) MarshalYAML() (any, error) { return e.form(), nil }

func (e ExternalID) form() any {
	switch {
	case e.file != nil:
		return map[string]string{"file": Redacted}
	case e.env != nil:
		return map[string]string{"env": Redacted}
	default:
		return e.String()
	}
}

// In is the external id whose file, if it is named by a relative path, is in folder.
func (e ExternalID) In(folder string) ExternalID {
	if e.file == nil || filepath.IsAbs(e.file.Reveal()) {
		return e
	}
	in := FileExternalID(filepath.Join(folder, e.file.Reveal()))
	in.relative = true
	return in
}
