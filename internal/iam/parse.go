package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// SyntaxError is a violation of the policy language, with its position.
type SyntaxError struct {
	Line, Column int    // counted from 1, the column in bytes; 0 if not known
	Path         string // "Statement[0].Effect"; "" for the document
	Problem      string // "is missing"
}

// Error returns a message such as "line 3, column 7: Statement[0].Effect: is missing", without
// parts that are not known.
func (e *SyntaxError) Error() string {
	var parts []string
	switch {
	case e.Column > 0:
		parts = append(parts, fmt.Sprintf("line %d, column %d", e.Line, e.Column))
	case e.Line > 0:
		parts = append(parts, fmt.Sprintf("line %d", e.Line))
	}
	if e.Path != "" {
		parts = append(parts, e.Path)
	}
	return strings.Join(append(parts, e.Problem), ": ")
}

// Parse parses one policy. It rejects what AWS rejects in any policy, with a *[SyntaxError] for the
// first fault: invalid JSON; an element that is unknown, repeated, empty or of the wrong type; an
// element together with its negation; an invalid action or resource; an unknown operator or a value
// of the wrong type for it; a malformed variable. [Document.CheckKind] checks the rules for each
// kind of policy.
func Parse(data []byte) (*Document, error) {
	p := &parser{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	p.dec.UseNumber()
	if err := p.checkJSON(); err != nil {
		return nil, err
	}
	d, err := p.document()
	if err != nil {
		return nil, err
	}
	if err := p.checkVariables(d); err != nil {
		return nil, err
	}
	return d, nil
}

// MustParse is like [Parse], but panics on a fault. It is for policies written in code.
func MustParse(text string) *Document {
	d, err := Parse([]byte(text))
	if err != nil {
		panic("BUG: parse policy literal: " + err.Error())
	}
	return d
}

// UnmarshalJSON parses a policy like [Parse].
func (d *Document) UnmarshalJSON(data []byte) error {
	parsed, err := Parse(data)
	if err == nil {
		*d = *parsed
	}
	return err
}

// parser is a recursive-descent parser over the JSON tokens of a document.
type parser struct {
	data       []byte
	dec        *json.Decoder
	at         int   // offset at which the last token starts
	statements []int // offset at which each statement starts
}

// checkJSON rejects text after the document and strings that are not UTF-8, which the token decoder
// accepts.
func (p *parser) checkJSON() error {
	var raw json.RawMessage
	err := json.Unmarshal(p.data, &raw)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return p.fault(max(int(syntax.Offset)-1, 0), "", "is not JSON: "+syntax.Error())
	}
	if err != nil {
		return p.fault(0, "", "is not JSON: "+err.Error())
	}
	for i, text := 0, p.data; len(text) > 0; {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			return p.fault(i, "", "is not UTF-8")
		}
		i, text = i+n, text[n:]
	}
	return nil
}

// fault returns a SyntaxError at an offset of the data.
func (p *parser) fault(at int, path, problem string) error {
	before := p.data[:min(at, len(p.data))]
	return &SyntaxError{
		Line:    1 + bytes.Count(before, []byte("\n")),
		Column:  len(before) - bytes.LastIndexByte(before, '\n'),
		Path:    path,
		Problem: problem,
	}
}

// next reads a token and records where it starts.
func (p *parser) next(path string) (json.Token, error) {
	p.at = int(p.dec.InputOffset())
	p.at += len(p.data[p.at:]) - len(bytes.TrimLeft(p.data[p.at:], " \t\r\n,:"))
	token, err := p.dec.Token()
	if err != nil {
		return nil, p.fault(p.at, path, "is not JSON: "+err.Error())
	}
	return token, nil
}

// object parses an object, and calls member to parse each value.
func (p *parser) object(path string, member func(name, path string) error) error {
	token, err := p.next(path)
	if err != nil {
		return err
	}
	if token != json.Delim('{') {
		return p.fault(p.at, path, "is not an object")
	}
	return p.members(path, member)
}

// members parses an object after its opening brace. It rejects duplicate names, because JSON
// parsers differ in which one they use.
func (p *parser) members(path string, member func(name, path string) error) error {
	if path != "" {
		path += "."
	}
	var seen []string
	for p.dec.More() {
		token, err := p.next(path)
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if slices.Contains(seen, name) {
			return p.fault(p.at, path+name, "appears twice")
		}
		seen = append(seen, name)
		if err := member(name, path+name); err != nil {
			return err
		}
	}
	_, err := p.next(path)
	return err
}

// text parses one string.
func (p *parser) text(path string) (string, error) {
	token, err := p.next(path)
	if err != nil {
		return "", err
	}
	text, ok := token.(string)
	if !ok {
		return "", p.fault(p.at, path, "is not a string")
	}
	return text, p.checkText(path, text)
}

func (p *parser) checkText(path, text string) error {
	if strings.ContainsRune(text, 0) {
		return p.fault(p.at, path, "contains a NUL character")
	}
	return nil
}

// list parses one string, or a nonempty array of strings, and calls check for each. If scalars is
// true, it also accepts numbers and booleans, as strings.
func (p *parser) list(path string, scalars bool, check func(string) string) ([]string, error) {
	token, err := p.next(path)
	if err != nil {
		return nil, err
	}
	if token != json.Delim('[') {
		text, err := p.item(path, token, scalars, check)
		return []string{text}, err
	}
	start := p.at
	var list []string
	for p.dec.More() {
		at := path + "[" + strconv.Itoa(len(list)) + "]"
		token, err := p.next(at)
		if err != nil {
			return nil, err
		}
		text, err := p.item(at, token, scalars, check)
		if err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	if len(list) == 0 {
		return nil, p.fault(start, path, "is empty")
	}
	_, err = p.next(path)
	return list, err
}

func (p *parser) item(path string, token json.Token, scalars bool, check func(string) string) (string, error) {
	text, ok := token.(string)
	switch token := token.(type) {
	case json.Number:
		text, ok = token.String(), scalars
	case bool:
		text, ok = strconv.FormatBool(token), scalars
	}
	if !ok {
		return "", p.fault(p.at, path, "is not a string")
	}
	if problem := check(text); problem != "" {
		return "", p.fault(p.at, path, problem)
	}
	return text, p.checkText(path, text)
}
