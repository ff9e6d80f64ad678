package secret

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
)

// None is the external_id setting of a role that needs no external id.
const None = "none"

// ExternalID is the source of a role's external id: the configuration itself, a file, or an
// environment variable. It prints the kind of source, but never a value or a name: a template may
// have put the secret in the place of a variable or file name. The zero ExternalID means that the
// setting is absent.
type ExternalID struct {
	// Pointers, because fmt prints unexported struct fields by reflection without calling Secret's
	// methods; for a pointer inside a struct it prints only the address.
	plain, file, env *Secret
	none             bool
	relative         bool // the configured path was relative; In joined it to the folder
}

// PlainExternalID returns an external id whose value is in the configuration.
func PlainExternalID(value Secret) ExternalID { return ExternalID{plain: &value} }

// FileExternalID returns an external id that is read from a file, without surrounding white space.
func FileExternalID(path string) ExternalID { return ExternalID{file: new(Secret(path))} }

// EnvExternalID returns an external id that is read from an environment variable.
func EnvExternalID(name string) ExternalID { return ExternalID{env: new(Secret(name))} }

// NoExternalID returns the explicit absence of an external id, "none" in the file. As with the zero
// ExternalID nothing is sent, but there is no warning.
func NoExternalID() ExternalID { return ExternalID{none: true} }

// IsZero reports whether no external id is configured, not even none.
func (e ExternalID) IsZero() bool { return e == ExternalID{} }

// Sent reports whether an external id is sent.
func (e ExternalID) Sent() bool { return !e.IsZero() && !e.none }

// String returns the kind of source: file:[redacted], env:[redacted], [redacted] for a value in the
// configuration, none, or "".
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

// GoString returns what String returns.
func (e ExternalID) GoString() string { return e.String() }

// Format writes String for every verb.
func (e ExternalID) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, e.String()) }

// LogValue returns what String returns.
func (e ExternalID) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalJSON writes what MarshalYAML writes, as JSON.
func (e ExternalID) MarshalJSON() ([]byte, error) { return json.Marshal(e.form()) }

// MarshalYAML writes the external id as the file does, with [redacted] instead of values and names.
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

// In returns e with a relative file path resolved against folder.
func (e ExternalID) In(folder string) ExternalID {
	if e.file == nil || filepath.IsAbs(e.file.Reveal()) {
		return e
	}
	in := FileExternalID(filepath.Join(folder, e.file.Reveal()))
	in.relative = true
	return in
}
