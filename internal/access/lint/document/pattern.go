package document

import (
	"strings"

	"syncd/internal/access"
	"syncd/internal/arn"
)

// Covers reports whether pattern matches everything that other matches. A result of true is always
// correct. For patterns with several wildcards, the result can be false although pattern matches
// everything that other matches. Covers treats wildcards in other as plain characters, and only a *
// in pattern matches a * in other.
func Covers(pattern, other string) bool {
	p, o, star, mark := 0, 0, -1, 0
	for o < len(other) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, o
			p++
		case p < len(pattern) && (pattern[p] == other[o] || pattern[p] == '?' && other[o] != '*'):
			p, o = p+1, o+1
		case star >= 0:
			mark++
			p, o = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// ActsOn reports whether an action on one type of resource can apply to a resource that the pattern
// matches. The parameter on is the type: "bucket", "object", "key", "role", "queue" or "other". For
// "other" the result is always true.
func ActsOn(on, pattern string) bool {
	a, ok := arn.Split(pattern)
	if pattern == "*" || on == "other" || !ok {
		return true
	}
	name, _, slashed := strings.Cut(a.Resource, "/")
	if a.Service == "s3" && name == "accesspoint" {
		_, slashed = strings.CutPrefix(a.Resource, "accesspoint/")
		slashed = slashed && strings.Contains(a.Resource, "/object")
	}
	switch on {
	case "bucket":
		return service(a, "s3") && !slashed
	case "object":
		return service(a, "s3") && (slashed || strings.Contains(a.Resource, "*"))
	case "key":
		return service(a, "kms") && (name == "key" || strings.HasPrefix(a.Resource, "*"))
	case "role":
		return service(a, "iam") && (name == "role" || strings.HasPrefix(a.Resource, "*"))
	case "queue":
		return service(a, "sqs")
	}
	return false
}

func service(a arn.ARN, want string) bool { return a.Service == want || access.IsPattern(a.Service) }
