package decode

import (
	"regexp"
	"strconv"
	"strings"
)

// placeholders matches the placeholders that documents, templates and tools use for a value:
// REPLACE_WITH_BUCKET, CHANGE_ME, YOUR_BUCKET, <bucket>, ${BUCKET}, $BUCKET, %BUCKET%, @BUCKET@ and
// {{ .bucket }}.
var placeholders = regexp.MustCompile(`(?i:replace[_-](?:with|me|this)[a-z0-9_-]*)|REPLACE_[A-Z0-9_]+|(?i:\bchange[_-]?me\b)|\bYOUR_[A-Z0-9_]+` +
	`|<[A-Za-z][A-Za-z0-9 _.-]*>|\$\{[^}]*\}|\{\{[^{}]*\}\}|\$[A-Z][A-Z0-9_]+|%[A-Z][A-Z0-9_]+%|@[A-Z][A-Z0-9_]+@`)

// Unfilled reports that text is or contains a placeholder. It returns "" if there is none.
func Unfilled(text string) (problem string) {
	lower := strings.ToLower(text)
	if !strings.ContainsAny(text, "<{$%@") && !strings.Contains(lower, "replace") && !strings.Contains(lower, "change") && !strings.Contains(text, "YOUR_") {
		return "" // the common case, without the cost of the regular expression
	}
	switch found := placeholders.FindString(text); found {
	case "":
		return ""
	case text:
		return strconv.Quote(text) + " is a placeholder"
	default:
		return strconv.Quote(text) + " contains the placeholder " + strconv.Quote(found)
	}
}

const fillIn = "put the real value in its place"

// filled reports whether the text of a setting was filled in. It records a fault if it was not.
func (d *reader) filled(text, path string) bool {
	problem := Unfilled(text)
	switch {
	case problem == "":
		return true
	case d.quiet:
		d.Add(path, "is a placeholder", fillIn)
	case d.schema.MayHold(path, text) && !strings.Contains(strings.ToUpper(text), "REPLACE_WITH"):
		d.AddWarning(path, problem, fillIn+", unless it is intended")
		return true
	default:
		d.Add(path, problem, fillIn)
	}
	return false
}
