package daemon

import (
	"regexp"
	"strings"
)

const redacted = "[redacted]"

// redactor removes secrets from texts that are displayed. By convention, errors contain none; this
// is a safeguard.
type redactor struct {
	secrets func() []string
	shapes  *regexp.Regexp
}

func newRedactor(secrets func() []string) *redactor {
	if secrets == nil {
		secrets = func() []string { return nil }
	}
	return &redactor{secrets, regexp.MustCompile(`\bA[KS]IA[A-Z0-9]{16}\b` + // access key ids (IAM User Guide, "IAM identifiers")
		`|(?i:X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"]+` +
		`|(?i:aws_secret_access_key|aws_session_token|ExternalId)["']?\s*[=:]\s*["']?[^\s"'&,]+`)}
}

func (r *redactor) text(text string) string {
	for _, secret := range r.secrets() {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	return r.shapes.ReplaceAllString(text, redacted)
}
