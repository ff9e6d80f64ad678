package secret

import (
	"errors"
	"strings"

	"syncd/internal/ascii"
	"syncd/internal/awsname"
	"syncd/internal/hint"
)

// Placeholder is what `syncd policy` writes in policies instead of an external id that is unknown
// or must not be printed. It is public, so it is rejected as an external id.
const Placeholder = "REPLACE_WITH_EXTERNAL_ID"

// checkExternalID checks value against the limits of the ExternalId parameter of AssumeRole (AWS
// STS API reference). Its errors do not quote the value.
func checkExternalID(value string) error {
	if value == Placeholder {
		return errors.New("the placeholder that syncd policy writes for an external id: replace it with the external id")
	}
	if value == Redacted {
		return errors.New("the placeholder that syncd config show writes for an external id: replace it with the external id")
	}
	if strings.TrimSpace(value) != value {
		return errors.New("padded with a space or a line break: remove it, for example with printf instead of echo")
	}
	if n := len(value); n < 2 || n > 1224 {
		return errors.New("not 2 to 1224 characters long")
	}
	if !ascii.Word(value, awsname.IdentityCharacters+":/") {
		return errors.New("not only letters, digits and _+=,.@:/-")
	}
	return nil
}

// Check checks an external id without reading its file or variable. If there is an error, key is
// the key under external_id that is invalid: file or env, or "" for external_id itself. Errors do
// not quote the configuration.
func (e ExternalID) Check() (key string, err error) {
	switch {
	case e.plain != nil:
		if err := checkExternalID(e.plain.Reveal()); err != nil {
			return "", hint.New("is "+err.Error(), "")
		}
	case e.file != nil && *e.file == "":
		return "file", hint.New("names no file", "")
	case e.file != nil && *e.file == Redacted:
		return "file", hint.New("is the placeholder that syncd config show writes for a name", "replace it with the name of the file")
	case e.env != nil && !isEnvName(e.env.Reveal()):
		return "env", hint.New("is not the name of an environment variable", "use letters, digits and _")
	}
	return "", nil
}

// isEnvName reports whether s is a valid name of an environment variable (POSIX.1-2017, 8.1).
func isEnvName(s string) bool {
	return ascii.Word(s, "_") && !ascii.Digits(s[:1], 1)
}
