package creds

import (
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// malformedError means that credentials contain characters that no valid credentials contain.
type malformedError struct{ what string }

func (e *malformedError) Error() string {
	return e.what + " contains a line break, or begins or ends with a space"
}

const malformedHint = "write the value without a trailing line break, for example with printf instead of echo"

// checkForm rejects credentials with surrounding white space or control characters. A header could
// not contain such a key id or token, and such a secret would give an invalid signature.
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
