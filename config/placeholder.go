package config

import (
	"regexp"
	"strconv"
	"strings"
)

// placeholders matches what documents, templates and tools put where a value belongs: REPLACE_WITH_BUCKET, CHANGE_ME, YOUR_BUCKET,
// <bucket>, ${BUCKET}, $BUCKET, %BUCKET%, @BUCKET@ and {{ .bucket }}.
var placeholders = regexp.MustCompile(`(?i:replace[_-](?:with|me|this)[a-z0-9_-]*)|REPLACE_[A-Z0-9_]+|(?i:\bchange[_-]?me\b)|\bYOUR_[A-Z0-9_]+` +
	`|<[A-Za-z][A-Za-z0-9 _.-]*>|\$\{[^}]*\}|\{\{[^{}]*\}\}|\$[A-Z][A-Z0-9_]+|%[A-Z][A-Z0-9_]+%|@[A-Z][A-Z0-9_]+@`)

// placeholderWord matches a word such as SOURCE_BUCKET, which is no name of a bucket.
var placeholderWord = regexp.MustCompile(`^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$`)

// mayLookUnfilled are settings about keys and tags, of which the owner of a bucket has any.
var mayLookUnfilled = regexp.MustCompile(`\.prefix$|\.filter\.|\.tags[.\[]`)

// unfilled says that a value was not filled in, "" for one that was.
func unfilled(text string) (problem string) {
	lower := strings.ToLower(text)
	if !strings.ContainsAny(text, "<{$%@") && !strings.Contains(lower, "replace") && !strings.Contains(lower, "change") && !strings.Contains(text, "YOUR_") {
		return "" // nearly always, and without the cost of the expression
	}
	switch found := placeholders.FindString(text); found {
	case "":
		return ""
	case text:
		return strconv.Quote(text) + " is a placeholder"
	default:
		return strconv.Quote(text) + " holds the placeholder " + strconv.Quote(found)
	}
}

const fillIn = "put the real value in its place"

// filled reports whether the text of a setting was filled in, after a fault of one that was not.
func (d *decoder) filled(text, path string) bool {
	problem := unfilled(text)
	switch {
	case problem == "":
		return true
	case d.quiet:
		d.add(path, "is a placeholder", fillIn)
	case anyText(path, text) && !strings.Contains(strings.ToUpper(text), "REPLACE_WITH"):
		d.addWarning(path, problem, fillIn+", unless this is one")
		return true
	default:
		d.add(path, problem, fillIn)
	}
	return false
}

// anyText reports whether what looks like a placeholder in a setting may be meant: it is a part of keys.
func anyText(path, text string) bool {
	if rest, ok := strings.CutPrefix(text, "s3://"); ok && path == "state" {
		bucket, _, _ := strings.Cut(rest, "/")
		return unfilled(bucket) == ""
	}
	return mayLookUnfilled.MatchString(path)
}
