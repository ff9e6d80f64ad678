package access

import (
	"strings"

	"syncd/config"
)

const notFilledIn = "SYNCD-P212"

func placeholderRules() []Rule {
	return []Rule{{
		notFilledIn, "not-filled-in", SeverityError, "A placeholder that was not filled in",
		"`syncd policy` writes " + config.ExternalIDPlaceholder + " where an external id belongs that it does not print, or that the configuration does not have. " +
			"In force, it refuses syncd, and lets in anyone who has read this.",
	}}
}

// checkPlaceholders finds what was to be filled in.
func (c *checker) checkPlaceholders(s *statement) {
	for _, cl := range s.clauses {
		for _, v := range cl.values {
			if strings.Contains(v.text, config.ExternalIDPlaceholder) {
				c.report(notFilledIn, v, v.text+" is a placeholder", "put the external id of the role in its place, the one of the configuration; or write the documents with --output or --with-secrets")
			}
		}
	}
}
