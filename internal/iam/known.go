package iam

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
)

//go:embed known.txt
var knownText string

// Known contains the actions and condition keys of the services in known.txt. Lookups are
// case-insensitive, as in AWS.
type Known struct {
	actions map[string]KnownAction // by name in lower case
	names   []string               // names of the actions, sorted
	keys    map[string]KnownKey    // by name in lower case
}

// KnownAction is an action that AWS knows.
type KnownAction struct {
	Name string // "s3:GetObject"
	// On is the resource type of the action: "bucket", "object", "key", "role", "queue", "other",
	// or "none" if only * is allowed.
	On string
}

// KnownKey is a condition key that AWS knows.
type KnownKey struct {
	Name string // such as "aws:PrincipalTag/"; a name that ends in / or : is a prefix of custom names
	Type string // type of its values: "String", "ARN", "Bool", "Numeric", "Date", "IPAddress"
	Many bool   // a request can contain several values
}

// ReadKnown parses the embedded known.txt. A test checks that the file is valid.
func ReadKnown() *Known {
	k := &Known{actions: map[string]KnownAction{}, keys: map[string]KnownKey{}}
	var heading []string
	for line := range strings.Lines(knownText) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case strings.HasSuffix(line, ":") && !strings.Contains(line[:len(line)-1], ":"):
			heading = strings.Fields(strings.TrimSuffix(line, ":"))
		default:
			k.add(heading, strings.Fields(line))
		}
	}
	k.names = slices.Sorted(maps.Keys(k.actions))
	return k
}

func (k *Known) add(heading, names []string) {
	for _, name := range names {
		if len(heading) == 3 {
			value, many := strings.CutPrefix(heading[2], "ArrayOf")
			k.keys[strings.ToLower(name)] = KnownKey{Name: name, Type: value, Many: many}
			continue
		}
		name = heading[0] + ":" + name
		k.actions[strings.ToLower(name)] = KnownAction{Name: name, On: heading[1]}
	}
}

// Service reports whether the actions of a service are known.
func (k *Known) Service(prefix string) bool {
	return slices.Contains([]string{"s3", "kms", "sts", "sqs"}, strings.ToLower(prefix))
}

// Actions returns all actions, sorted by name.
func (k *Known) Actions() []KnownAction { return k.Matching("*") }

// Matching returns the actions that match a pattern, sorted by name.
func (k *Known) Matching(pattern string) (list []KnownAction) {
	if a, ok := k.actions[strings.ToLower(pattern)]; ok {
		return []KnownAction{a}
	}
	if !strings.ContainsAny(pattern, "*?") {
		return nil
	}
	for _, name := range k.names {
		if matchAction(pattern, name) {
			list = append(list, k.actions[name])
		}
	}
	return list
}

// Keys returns all condition keys, sorted by name.
func (k *Known) Keys() (list []KnownKey) {
	for _, name := range slices.Sorted(maps.Keys(k.keys)) {
		list = append(list, k.keys[name])
	}
	return list
}

// Key returns the condition key with that name, and whether it is known. If only a prefix of the
// name is known, the result's name is the prefix.
func (k *Known) Key(name string) (KnownKey, bool) {
	lower := strings.ToLower(name)
	if found, ok := k.keys[lower]; ok && !strings.HasSuffix(lower, "/") && !strings.HasSuffix(lower, ":") {
		return found, true
	}
	for i := len(lower) - 1; i > 0; i-- {
		if lower[i-1] != '/' && lower[i-1] != ':' {
			continue
		}
		if found, ok := k.keys[lower[:i]]; ok {
			return found, true
		}
	}
	return KnownKey{}, false
}
