package access

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
)

//go:embed actions.txt
var actionsText string

// catalogue knows every action and condition key of the services in actions.txt. Names are looked up without regard to case, as
// AWS does.
type catalogue struct {
	actions map[string]action       // by name in small letters
	names   []string                // of actions, sorted
	keys    map[string]conditionKey // likewise
}

// action is one that a policy may name.
type action struct {
	name string // "s3:GetObject"
	on   string // the type of resource that it acts on: "bucket", "object", "key", "role", "queue", "other", or "none" for only *
}

// conditionKey is one that a condition may test.
type conditionKey struct {
	name  string // "aws:PrincipalTag/": one that ends in / or : goes on with a name of one's own
	value string // "String", "ARN", "Bool", "Numeric", "Date", "IPAddress"
	many  bool   // a request may have several values
}

// readCatalogue reads actions.txt, which is part of the program: that it is in order is a test's business.
func readCatalogue() catalogue {
	c := catalogue{actions: map[string]action{}, keys: map[string]conditionKey{}}
	var heading []string
	for line := range strings.Lines(actionsText) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case strings.HasSuffix(line, ":") && !strings.Contains(line[:len(line)-1], ":"):
			heading = strings.Fields(strings.TrimSuffix(line, ":"))
		default:
			c.add(heading, strings.Fields(line))
		}
	}
	c.names = slices.Sorted(maps.Keys(c.actions))
	return c
}

func (c *catalogue) add(heading, names []string) {
	for _, name := range names {
		if len(heading) == 3 {
			value, many := strings.CutPrefix(heading[2], "ArrayOf")
			c.keys[strings.ToLower(name)] = conditionKey{name: name, value: value, many: many}
			continue
		}
		name = heading[0] + ":" + name
		c.actions[strings.ToLower(name)] = action{name: name, on: heading[1]}
	}
}

// knows reports whether the catalogue has the actions of a service.
func (c *catalogue) knows(service string) bool {
	return slices.Contains([]string{"s3", "kms", "sts", "sqs"}, strings.ToLower(service))
}

// matching lists the actions that a pattern names, in the order of their names.
func (c *catalogue) matching(pattern string) []action {
	if a, ok := c.actions[strings.ToLower(pattern)]; ok {
		return []action{a}
	}
	if !strings.ContainsAny(pattern, "*?") {
		return nil
	}
	var list []action
	for _, name := range c.names {
		if covers(strings.ToLower(pattern), name) {
			list = append(list, c.actions[name])
		}
	}
	return list
}

// key finds a condition key, and reports whether there is one. Found under a prefix it has the prefix for a name.
func (c *catalogue) key(name string) (conditionKey, bool) {
	lower := strings.ToLower(name)
	if k, ok := c.keys[lower]; ok && !strings.HasSuffix(lower, "/") && !strings.HasSuffix(lower, ":") {
		return k, true
	}
	for i := len(lower) - 1; i > 0; i-- {
		if lower[i-1] != '/' && lower[i-1] != ':' {
			continue
		}
		if k, ok := c.keys[lower[:i]]; ok {
			return k, true
		}
	}
	return conditionKey{}, false
}

// meantAction is the action that a wrong name was likely to mean; "" when none is like it. The names of API operations that are no
// actions are known: their permissions have other names.
func (c *catalogue) meantAction(name string) string {
	if meant := operationPermission(strings.ToLower(name)); meant != "" {
		return meant
	}
	var names []string
	for _, a := range c.actions {
		names = append(names, a.name)
	}
	return nearest(name, names)
}

// meantKey is the condition key that a wrong name was likely to mean; "" when none is like it.
func (c *catalogue) meantKey(name string) string {
	var names []string
	for _, k := range c.keys {
		names = append(names, k.name)
	}
	return nearest(name, names)
}

// operationPermission is the permission behind the name of an operation, as "Required permissions for Amazon S3 API operations" has
// it; "" for what is none.
func operationPermission(lower string) string {
	switch lower {
	case "s3:headobject", "s3:getobjectmetadata", "s3:readobject", "s3:selectobjectcontent":
		return "s3:GetObject"
	case "s3:headbucket", "s3:listobjects", "s3:listobjectsv2", "s3:listobject":
		return "s3:ListBucket"
	case "s3:listobjectversions":
		return "s3:ListBucketVersions"
	case "s3:copyobject", "s3:uploadpart", "s3:uploadpartcopy", "s3:createmultipartupload", "s3:initiatemultipartupload",
		"s3:completemultipartupload", "s3:postobject":
		return "s3:PutObject"
	case "s3:listparts":
		return "s3:ListMultipartUploadParts"
	case "s3:listmultipartuploads":
		return "s3:ListBucketMultipartUploads"
	case "s3:deleteobjects":
		return "s3:DeleteObject"
	case "s3:listbuckets":
		return "s3:ListAllMyBuckets"
	}
	return morePermissions(lower)
}

// morePermissions are the operations on a bucket's settings, and those of the other services.
func morePermissions(lower string) string {
	switch lower {
	case "s3:getbucketencryption":
		return "s3:GetEncryptionConfiguration"
	case "s3:putbucketencryption", "s3:deletebucketencryption":
		return "s3:PutEncryptionConfiguration"
	case "s3:getbucketlifecycle", "s3:getbucketlifecycleconfiguration":
		return "s3:GetLifecycleConfiguration"
	case "s3:putbucketlifecycle", "s3:putbucketlifecycleconfiguration", "s3:deletebucketlifecycle":
		return "s3:PutLifecycleConfiguration"
	case "s3:getbucketreplication":
		return "s3:GetReplicationConfiguration"
	case "s3:getpublicaccessblock":
		return "s3:GetBucketPublicAccessBlock"
	case "kms:reencrypt":
		return "kms:ReEncrypt*"
	case "sqs:sendmessagebatch":
		return "sqs:SendMessage"
	case "sqs:deletemessagebatch":
		return "sqs:DeleteMessage"
	case "sqs:changemessagevisibilitybatch":
		return "sqs:ChangeMessageVisibility"
	}
	return ""
}

// nearest is the name most like the given one, the first of several by the alphabet, or "" when none differs in less than a third.
func nearest(name string, names []string) string {
	slices.Sort(names)
	best, bestDistance := "", 1+len(name)/4
	for _, n := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d < bestDistance {
			best, bestDistance = n, d
		}
	}
	return best
}

// distance is the Levenshtein distance of a and b, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

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
