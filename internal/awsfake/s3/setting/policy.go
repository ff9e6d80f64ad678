package setting

import (
	"net/http"
	"slices"
	"strings"

	"syncd/internal/arn"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// S3's messages for invalid bucket policies. "Bucket policies" in the Amazon S3 User Guide lists
// the faults; the texts are copied from S3's responses.
const (
	invalidResource   = "Policy has invalid resource"
	invalidAction     = "Policy has invalid action"
	idleAction        = "Action does not apply to any resource(s) in statement"
	invalidKey        = "Policy has an invalid condition key"
	idleCondition     = "Conditions do not apply to combination of actions and resources in statement"
	invalidPrincipals = "Invalid principal in policy"
)

// refuseBucketPolicy returns an error for a bucket policy that is valid in grammar but not for S3.
func refuseBucketPolicy(bucket string, d *iam.Document) error {
	known := iam.ReadKnown()
	for i := range d.Statements {
		if fault := statementFault(known, bucket, &d.Statements[i]); fault != "" {
			return wire.Refuse(http.StatusBadRequest, "MalformedPolicy", "%s", fault)
		}
	}
	return nil
}

func statementFault(known *iam.Known, bucket string, s *iam.Statement) string {
	for _, r := range slices.Concat(s.Resources, s.NotResources) {
		if !ofBucket(bucket, r) {
			return invalidResource
		}
	}
	for _, a := range slices.Concat(s.Actions, s.NotActions) {
		if len(known.Matching(a)) == 0 || a != "*" && !strings.HasPrefix(strings.ToLower(a), "s3:") {
			return invalidAction
		}
	}
	for _, a := range s.Actions {
		if len(s.Resources) > 0 && !slices.ContainsFunc(known.Matching(a), func(k iam.KnownAction) bool { return actsOn(k, s.Resources) }) {
			return idleAction
		}
	}
	for _, c := range s.Conditions {
		if !takesKey(known, c.Key) {
			return invalidKey
		}
		if ofListings(c.Key) && slices.ContainsFunc(s.Actions, func(a string) bool { return !lists(known, a) }) {
			return idleCondition
		}
	}
	return ""
}

// ofBucket reports whether a resource is the bucket or objects in it. S3 accepts no other
// resources, not even a pattern that matches everything.
func ofBucket(bucket, resource string) bool {
	a, _ := arn.Split(resource)
	rest, ok := strings.CutPrefix(a.Resource, bucket)
	return ok && a.Service == "s3" && a.Region == "" && a.Account == "" && (rest == "" || rest[0] == '/' || rest[0] == '*')
}

// actsOn reports whether an action applies to one of the resources of a bucket policy. The result
// is false for an action without resource types.
func actsOn(a iam.KnownAction, resources []string) bool {
	return slices.ContainsFunc(resources, func(r string) bool {
		_, _, objects := strings.Cut(r, "/")
		switch a.On {
		case "bucket":
			return !objects
		case "object":
			return objects || strings.HasSuffix(r, "*")
		case "none":
			return false
		}
		return strings.HasPrefix(a.Name, "s3:")
	})
}

// takesKey reports whether S3 accepts a bucket policy with the condition key. S3 accepts any global
// key, even if it does not exist, and keys of an identity provider, which start with its name.
func takesKey(known *iam.Known, key string) bool {
	prefix, _, _ := strings.Cut(strings.ToLower(key), ":")
	if prefix == "s3" {
		_, ok := known.Key(key)
		return ok
	}
	return prefix == "aws" || prefix == "saml" || strings.Contains(prefix, ".")
}

// ofListings reports whether only requests for listings have the condition key.
func ofListings(key string) bool {
	return slices.Contains([]string{"s3:prefix", "s3:delimiter", "s3:max-keys"}, strings.ToLower(key))
}

// lists reports whether an action that matches the pattern is a listing.
func lists(known *iam.Known, pattern string) bool {
	return slices.ContainsFunc(known.Matching(pattern), func(a iam.KnownAction) bool { return strings.HasPrefix(a.Name, "s3:ListBucket") })
}
