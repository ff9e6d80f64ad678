package element

import (
	"regexp"
	"strings"

	"syncd/config/secret"
	"syncd/internal/access"
	"syncd/internal/access/lint/document"
)

var (
	// placeholders matches the words that `syncd policy` writes, and others like them.
	placeholders = regexp.MustCompile(`REPLACE_(?:WITH|ME|THIS)[A-Z0-9_]*`)
	// bracketed matches what documentation writes; in the key of an object, brackets may stand for
	// themselves.
	bracketed = regexp.MustCompile(`^[^/]*(<[A-Za-z][A-Za-z0-9 _.-]*>)`)
)

// placeholderIn returns what was to be filled in of the name of a resource or a principal, "" for
// nothing.
func placeholderIn(text string) string {
	if found := placeholders.FindString(text); found != "" {
		return found
	}
	if found := bracketed.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return ""
}

// placeholderFault says what belongs in place of a placeholder in a resource or a principal.
func placeholderFault(placeholder string) fault {
	fix := "put the real name in its place"
	if placeholder == access.BucketPlaceholder {
		fix = "put the name of the bucket behind the access point in its place, or set underlying_bucket of the source and write the documents again"
	}
	return fault{placeholder + " is a placeholder", fix}
}

// nameRule is the rule that a fault of a name is reported under.
func nameRule(text, otherwise string) string {
	if placeholderIn(text) != "" {
		return notFilledIn
	}
	return otherwise
}

// checkPlaceholders finds what was to be filled in of conditions.
func (c *checker) checkPlaceholders(s *document.Statement) {
	for _, cl := range s.Clauses {
		for _, v := range cl.Values {
			switch found := placeholders.FindString(v.Text); {
			case found == "":
			case strings.Contains(v.Text, secret.Placeholder):
				c.report(notFilledIn, v, v.Text+" is a placeholder", "put the external id of the role in its place, the one of the configuration; or write the documents with --output or --with-secrets")
			default:
				f := placeholderFault(found)
				c.report(notFilledIn, v, f.message, f.fix)
			}
		}
	}
}
