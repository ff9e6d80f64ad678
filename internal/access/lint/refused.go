package lint

import (
	"bytes"
	"errors"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/rule"
	"syncd/internal/iam"
)

// checkRefused parses a document strictly with package iam if no rule found an error in it, and
// reports the error of the parser. Every document that AWS would reject therefore has a finding.
// before is the number of findings of the earlier documents.
func (c *checker) checkRefused(before int) {
	for _, f := range c.findings[before:] {
		if f.Severity == rule.SeverityError {
			return
		}
	}
	d := c.d
	text := d.Data[d.Root.At:d.Root.End]
	parsed, err := iam.Parse(text)
	if err == nil && d.Kind != access.KindResourceControl {
		err = parsed.CheckKind(d.Kind.ResourceKind())
	}
	if err == nil {
		return
	}
	at, message := 0, err.Error()
	if syntax, ok := errors.AsType[*iam.SyntaxError](err); ok {
		at, message = byteAt(text, syntax.Line, syntax.Column), strings.TrimPrefix(syntax.Path+" "+syntax.Problem, " ")
	}
	c.reportAt(refused, d.Root.At+at, message, "see the grammar of the IAM policy language")
}

// byteAt returns the byte offset of a line and a column. A line or column of 0 counts as 1.
func byteAt(text []byte, line, column int) int {
	at := 0
	for range line - 1 {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	return at + max(column-1, 0)
}
