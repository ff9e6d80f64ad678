package access

import "strings"

// covers reports whether a pattern matches all that another matches. It may say no where that is true of patterns with several
// wildcards, never yes where it is not: the wildcards of the other are matched as plain characters, which only a * may stand for.
func covers(pattern, other string) bool {
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

// acted reports whether an action on a type of resource can be about a resource that the pattern matches.
func acted(on, pattern string) bool {
	a := parseARN(pattern)
	if pattern == "*" || on == "other" || !a.whole {
		return true
	}
	name, _, slashed := strings.Cut(a.resource, "/")
	if a.service == "s3" && name == "accesspoint" {
		_, slashed = strings.CutPrefix(a.resource, "accesspoint/")
		slashed = slashed && strings.Contains(a.resource, "/object")
	}
	switch on {
	case "bucket":
		return service(a, "s3") && !slashed
	case "object":
		return service(a, "s3") && (slashed || strings.Contains(a.resource, "*"))
	case "key":
		return service(a, "kms") && (name == "key" || strings.HasPrefix(a.resource, "*"))
	case "role":
		return service(a, "iam") && (name == "role" || strings.HasPrefix(a.resource, "*"))
	case "queue":
		return service(a, "sqs")
	}
	return false
}

func service(a arn, want string) bool { return a.service == want || wild(a.service) }
