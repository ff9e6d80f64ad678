package creds

import (
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// malformedError says that credentials cannot be what they were meant to be.
type malformedError struct{ what string }

func (e *malformedError) Error() string { return e.what + " holds a line break, or a space at its end" }

const malformedHint = "write it without a line break at its end, as with printf instead of echo"

// checkForm refuses credentials that were read with what surrounds them. Of a key id and a token no
// header could be made, and with such a secret no signature would hold.
func checkForm(c aws.Credentials) error {
	for _, part := range []struct{ what, value string }{
		{"the access key id", c.AccessKeyID}, {"the secret access key", c.SecretAccessKey}, {"the session token", c.SessionToken},
	} {
		if strings.TrimSpace(part.value) != part.value || strings.ContainsFunc(part.value, unicode.IsControl) {
			return &malformedError{part.what}
		}
	}
	return nil
}
