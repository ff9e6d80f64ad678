package iam

import (
	"errors"
	"strings"
)

// variable is one ${...} in a policy, as described in "IAM policy elements: Variables and tags".
type variable struct {
	literal    string // "*", "?" or "$" of ${*}, ${?}, ${$}
	key        string
	value      string // the default
	hasDefault bool
}

// The errors in a variable. AWS rejects a document that contains a variable with an error.
var (
	errBrace   = errors.New("has a variable without its closing brace")
	errNoKey   = errors.New("has a variable that names no condition key")
	errDefault = errors.New("has a variable whose default is not in single quotes")
)

// cutVariable splits text around its first variable.
func cutVariable(text string) (before string, v variable, after string, err error) {
	before, rest, _ := strings.Cut(text, "${")
	end, quoted := -1, false
	for i := range len(rest) {
		if rest[i] == '\'' {
			quoted = !quoted
		}
		if rest[i] == '}' && !quoted {
			end = i
			break
		}
	}
	if end < 0 {
		return "", v, "", errBrace
	}
	v, err = parseVariable(rest[:end])
	return before, v, rest[end+1:], err
}

func parseVariable(body string) (variable, error) {
	switch body {
	case "*", "?", "$":
		return variable{literal: body}, nil
	}
	key, value, hasDefault := strings.Cut(body, ",")
	if !strings.Contains(key, ":") || strings.ContainsAny(key, "${'") {
		return variable{}, errNoKey
	}
	if !hasDefault {
		return variable{key: key}, nil
	}
	value = strings.TrimSpace(value)
	if len(value) < 2 || value[0] != '\'' || strings.IndexByte(value[1:], '\'') != len(value)-2 {
		return variable{}, errDefault
	}
	return variable{key: key, value: value[1 : len(value)-1], hasDefault: true}, nil
}

// checkVariables returns an error for the first malformed variable in text.
func checkVariables(text string) error {
	for strings.Contains(text, "${") {
		_, _, after, err := cutVariable(text)
		if err != nil {
			return err
		}
		text = after
	}
	return nil
}

// scope is the context for replacing variables: the request, and whether the document's version
// supports variables.
type scope struct {
	req       *Request
	variables bool
}

// expand replaces the variables in text with values from the request, for use as a pattern or as
// plain text. It returns false if a variable is malformed or has neither a value nor a default. The
// text then matches nothing.
func (s scope) expand(text string, pattern bool) (string, bool) {
	if !s.variables || !strings.Contains(text, "${") {
		return text, true
	}
	var b strings.Builder
	for strings.Contains(text, "${") {
		before, v, after, err := cutVariable(text)
		if err != nil {
			return "", false
		}
		value, ok := s.resolve(v)
		if !ok {
			return "", false
		}
		b.WriteString(before)
		writeLiteral(&b, value, pattern)
		text = after
	}
	b.WriteString(text)
	return b.String(), true
}

// resolve returns the value of a variable. A multivalued key has no value, even if the request has
// only one: "you can't use a multivalued condition key as a variable". An empty value counts as no
// value: a key that "has no value or is not present" is null.
func (s scope) resolve(v variable) (string, bool) {
	if v.literal != "" {
		return v.literal, true
	}
	if values := s.req.lookup(v.key); !isNull(values) {
		return values[0], len(values) == 1 && !multivalued(v.key)
	}
	return v.value, v.hasDefault
}

// writeLiteral writes text to b. If pattern is true, it escapes the wildcards.
func writeLiteral(b *strings.Builder, text string, pattern bool) {
	for i := range len(text) {
		if c := text[i]; pattern && (c == '*' || c == '?' || c == escape) {
			b.WriteByte(escape)
		}
		b.WriteByte(text[i])
	}
}
