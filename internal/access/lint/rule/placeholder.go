package rule

import (
	"syncd/config"
	"syncd/internal/access"
)

func placeholderRules() []Rule {
	return []Rule{{
		NotFilledIn, "not-filled-in", SeverityError, "A placeholder that was not filled in",
		"`syncd policy` writes " + config.ExternalIDPlaceholder + " where an external id belongs that it does not print, or that the configuration does not have, and " +
			access.BucketPlaceholder + " where a bucket belongs that the configuration does not name; documents of others have words such as `<bucket>`. " +
			"In force, an external id of that text refuses syncd, and lets in anyone who has read this; a resource or principal of it matches nothing.",
	}}
}
