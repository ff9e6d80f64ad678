package doctor

import (
	"errors"
	"regexp"
	"strings"

	"syncd/internal/awserr"
)

// reason is the cause that an access denied message of AWS states. AWS states a cause only within
// one account or organization, and only one even if there are several (IAM User Guide,
// "Troubleshoot access denied error messages").
type reason struct {
	action, resource string
	by               string // the type of policy, such as "identity-based policy"; "" if none is named
	explicit         bool   // whether a Deny statement matched
	policy           string // the ARN of the policy
	hidden           bool   // whether the message is the one that KMS uses for both a denial by the key policy and a missing key
	public           bool   // whether S3 Block Public Access denied the request
}

// policyTypes is a regular expression of the policy types that AWS names.
const policyTypes = `identity-based policy|resource-based policy|session policy|permissions boundary|service control policy|` +
	`resource control policy|VPC endpoint policy|role trust policy`

// readReason parses the error text. AWS sometimes appends text to its messages, so the patterns are
// not anchored at the end.
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

// classOf returns the class of an error. If a role could not be assumed, it returns the class of
// the error that STS returned.
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
