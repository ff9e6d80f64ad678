package element

import (
	"regexp"
	"strings"

	"syncd/config/secret"
	"syncd/internal/access"
	"syncd/internal/access/lint/document"
)

var (
	// placeholders matches the placeholders that `syncd policy` writes, and similar placeholders
	// such as REPLACE_ME.
	placeholders = regexp.MustCompile(`REPLACE_(?:WITH|ME|THIS)[A-Z0-9_]*`)
	// bracketed matches placeholders such as <bucket>, which documentation uses. It does not match
	// in object keys, where angle brackets can be literal.
	bracketed = regexp.MustCompile(`^[^/]*(<[A-Za-z][A-Za-z0-9 _.-]*>)`)
)

// placeholderIn returns the placeholder in the name of a resource or a principal, or "" if there is
// none.
func placeholderIn(text string) string {
	if found := placeholders.FindString(text); found != "" {
		return found
	}
	if found := bracketed.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return ""
}

// placeholderFault returns the fault for a placeholder in a resource or a principal.
func placeholderFault(placeholder string) fault {
	fix := "replace it with the real name"
	if placeholder == access.BucketPlaceholder {
		fix = "replace it with the name of the bucket behind the access point, or set underlying_bucket of the source and write the documents again"
	}
	return fault{placeholder + " is a placeholder", fix}
}

// nameRule returns the ID of the rule for a fault in a name. It is notFilledIn if the name contains
// a placeholder. If not, it is the value of the parameter otherwise.
func nameRule(text, otherwise string) string {
	if placeholderIn(text) != "" {
		return notFilledIn
	}
	return otherwise
}

// checkPlaceholders reports placeholders in conditions.
func (c *checker) checkPlaceholders(s *document.Statement) {
	for _, cl := range s.Clauses {
		for _, v := range cl.Values {
			switch found := placeholders.FindString(v.Text); {
			case found == "":
			case strings.Contains(v.Text, secret.Placeholder):
				c.report(notFilledIn, v, v.Text+" is a placeholder", "replace it with the ExternalId of the role from the configuration, or write the documents with --output or --with-secrets")
			default:
				f := placeholderFault(found)
				c.report(notFilledIn, v, f.message, f.fix)
			}
		}
	}
}
