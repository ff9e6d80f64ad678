package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// Resolve returns the external id as it is now: files and variables are read again at every call,
// so that a rotated external id is used at the next assume. It returns an empty Secret and no error
// when none is sent. Errors say whether it is the file or the variable, and show neither its name
// nor the value.
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

// Source is where the external id is read from, for people: the key file or env with the name that
// follows it, or "" with what String is. The name is Redacted unless it is surely a name: the
// variable or the file is there, or has the form of a name.
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
