package doctor

import (
	"errors"
	"regexp"
	"strings"

	"syncd/internal/awserr"
)

// reason is what the words of a refusal say. AWS gives reasons inside one account or organization
// only, and of several only one (IAM User Guide, "Troubleshoot access denied error messages").
type reason struct {
	action, resource string
	by               string // the type of policy, as "identity-based policy"; "" when nothing is said
	explicit         bool   // a Deny
	policy           string // its ARN
	hidden           bool   // KMS does not say whether it is the key policy, or that there is no such key
	public           bool   // S3 Block Public Access
}

// policyTypes is an alternation of what AWS calls the types of policy.
const policyTypes = `identity-based policy|resource-based policy|session policy|permissions boundary|service control policy|` +
	`resource control policy|VPC endpoint policy|role trust policy`

// readReason reads an error's text. What may follow a sentence changes with time, so nothing is
// anchored at its end.
func readReason(err error) reason {
	text := err.Error()
	find := func(pattern string) string {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
			return m[1]
		}
		return ""
	}
	r := reason{
		by:     find(`with an explicit deny in (?:an?|the) (` + policyTypes + `)`),
		hidden: strings.Contains(text, "does not exist in this Region"),
		public: strings.Contains(text, "Block Public Access"),
	}
	r.action, r.resource = awserr.Refused(err)
	r.explicit = r.by != ""
	if !r.explicit {
		r.by = find(`because no (` + policyTypes + `) allows`)
	}
	r.policy = find(`(?:` + policyTypes + `)[^:]*: (arn:\S+)`)
	return r
}

// classOf is the class of an error, of a role that could not be assumed that of its cause.
func classOf(err error) awserr.Class {
	c, ok := errors.AsType[*awserr.CredentialsError](err)
	if !ok {
		return awserr.Classify(err)
	}
	if class := awserr.Classify(c.Err); class != awserr.Unknown || !strings.Contains(err.Error(), "AccessDenied") {
		return class
	}
	return awserr.Denied
}
