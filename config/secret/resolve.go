package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// Resolve returns the current external id. It reads files and variables at every call, so that a
// rotated external id is used the next time the role is assumed. If no external id is sent, it
// returns an empty Secret and no error. Errors name the kind of source, but not its name or value.
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
			return "", errors.New("the environment variable is not set")
		}
		return value, nil
	}
}

// setting returns the configuration key of the external id's source.
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

// unreadableError says why a file could not be read, without its path.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string {
	if at, ok := errors.AsType[*fs.PathError](e.err); ok {
		return at.Err.Error()
	}
	return "the file cannot be read"
}

func (e *unreadableError) Unwrap() error { return e.err }

// Source returns where the external id comes from, for display. For a file or a variable, key is
// "file" or "env", and name is the path or the name of the variable. Otherwise key is "", and name
// is the result of String. The configuration may by mistake contain the external id itself in place
// of a name. So name is Redacted unless the file or variable exists, or the text has the form of an
// absolute path or of a variable's name.
func (e ExternalID) Source(lookupEnv func(string) (string, bool), readFile func(string) ([]byte, error)) (key, name string) {
	switch {
	case e.file != nil:
		path := e.file.Reveal()
		if _, err := readFile(path); err == nil || errors.Is(err, fs.ErrPermission) || filepath.IsAbs(path) && !e.relative {
			return "file", path
		}
		return "file", Redacted
	case e.env != nil:
		variable := e.env.Reveal()
		if _, ok := lookupEnv(variable); ok || variable == strings.ToUpper(variable) && strings.Contains(variable, "_") {
			return "env", variable
		}
		return "env", Redacted
	}
	return "", e.String()
}
