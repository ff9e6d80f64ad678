package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// noExternalID is how the file says that a role needs no external id.
const noExternalID = "none"

// Secret is a text that must not be printed: fmt, slog, JSON and YAML all write [redacted]. Two places are beyond its
// reach: fmt reads unexported struct fields without asking their methods, and encoding/json the keys of maps.
type Secret string

// Reveal is the text itself.
func (s Secret) Reveal() string { return string(s) }

// String is [redacted].
func (Secret) String() string { return redacted }

// GoString is [redacted].
func (Secret) GoString() string { return redacted }

// Format writes [redacted] for every verb.
func (Secret) Format(w fmt.State, _ rune) { writeRedacted(w) }

// LogValue is [redacted].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText writes [redacted].
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON writes "[redacted]".
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalYAML writes [redacted].
func (Secret) MarshalYAML() (any, error) { return redacted, nil }

func writeRedacted(w io.Writer) { _, _ = io.WriteString(w, redacted) }

// ExternalID is where the external id of a role is found: in the configuration itself, in a file, or in an environment
// variable. It prints which of these, and neither a value nor a name: a template may have put the secret itself where the name of a
// variable or of a file belongs. The zero ExternalID is none at all.
type ExternalID struct {
	// Pointers, because fmt prints the unexported fields of a struct by reflection, past Secret's methods; of a pointer
	// inside a struct it prints the address.
	plain, file, env *Secret
	none             bool
	relative         bool // the file was named by a path without the folder that Load put before it
}

// PlainExternalID is an external id that stands in the configuration itself.
func PlainExternalID(value Secret) ExternalID { return ExternalID{plain: &value} }

// FileExternalID is an external id read from a file; space around it is not part of it.
func FileExternalID(path string) ExternalID { return ExternalID{file: new(Secret(path))} }

// EnvExternalID is an external id read from an environment variable.
func EnvExternalID(name string) ExternalID { return ExternalID{env: new(Secret(name))} }

// NoExternalID is the deliberate absence of an external id, "none" in the file: it is sent none, as by the zero ExternalID, and
// nobody is warned.
func NoExternalID() ExternalID { return ExternalID{none: true} }

// IsZero reports whether the configuration says nothing of an external id.
func (e ExternalID) IsZero() bool { return e == ExternalID{} }

// Sent reports whether an external id is sent.
func (e ExternalID) Sent() bool { return !e.IsZero() && !e.none }

// Resolve returns the external id as it is now: files and variables are read again at every call, so that a rotated
// external id is used at the next assume. It returns an empty Secret and no error when none is sent. Errors say whether it
// is the file or the variable, and show neither its name nor the value.
func (e ExternalID) Resolve(lookupEnv func(string) (string, bool), readFile func(string) ([]byte, error)) (Secret, error) {
	if !e.Sent() {
		return "", nil
	}
	value, err := e.read(lookupEnv, readFile)
	if err == nil {
		err = checkExternalID(value)
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", e.setting(), err)
	}
	return Secret(value), nil
}

func (e ExternalID) read(lookupEnv func(string) (string, bool), readFile func(string) ([]byte, error)) (string, error) {
	switch {
	case e.plain != nil:
		return e.plain.Reveal(), nil
	case e.file != nil:
		data, err := readFile(e.file.Reveal())
		if err != nil {
			return "", &unreadableError{err}
		}
		return strings.TrimSpace(string(data)), nil
	default:
		value, ok := lookupEnv(e.env.Reveal())
		if !ok {
			return "", errors.New("there is no environment variable of that name")
		}
		return value, nil
	}
}

// setting is the key of the configuration that says where the external id is.
func (e ExternalID) setting() string {
	switch {
	case e.file != nil:
		return "external_id.file"
	case e.env != nil:
		return "external_id.env"
	default:
		return "external_id"
	}
}

// unreadableError is why a file was not read, without its path.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string {
	if at, ok := errors.AsType[*fs.PathError](e.err); ok {
		return at.Err.Error()
	}
	return "the file cannot be read"
}

func (e *unreadableError) Unwrap() error { return e.err }

// ExternalIDPlaceholder stands in policies that `syncd policy` writes where an external id belongs that it does not print or does not
// know. It is public, and so no external id.
const ExternalIDPlaceholder = "REPLACE_WITH_EXTERNAL_ID"

// checkExternalID applies the bounds of the ExternalId parameter of AssumeRole (AWS STS API reference), without ever
// quoting the value.
func checkExternalID(value string) error {
	if value == ExternalIDPlaceholder {
		return errors.New("the placeholder that syncd policy writes in place of an external id: put the external id there")
	}
	if value == redacted {
		return errors.New("what syncd config show writes in place of an external id: put the external id there")
	}
	if strings.TrimSpace(value) != value {
		return errors.New("it begins or ends with a space or a line break: write it without, as with printf instead of echo")
	}
	if n := len(value); n < 2 || n > 1224 {
		return errors.New("not 2 to 1224 characters long")
	}
	if !spelled(value, "_+=,.@:/-") {
		return errors.New("not only letters, digits and _+=,.@:/-")
	}
	return nil
}

// String names the kind of the source: file:[redacted], env:[redacted], [redacted] for a value in the configuration, none, or nothing.
func (e ExternalID) String() string {
	switch {
	case e.plain != nil:
		return redacted
	case e.file != nil:
		return "file:" + redacted
	case e.env != nil:
		return "env:" + redacted
	case e.none:
		return noExternalID
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
		return map[string]string{"file": redacted}
	case e.env != nil:
		return map[string]string{"env": redacted}
	default:
		return e.String()
	}
}
