package coverage

import (
	"fmt"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/lint/rule"
	"syncd/internal/arn"
)

// deputyFindings returns a finding for each role of another owner that a mapping assumes without an
// ExternalId.
func deputyFindings(conf *config.Config, mappings []config.Mapping) (findings []rule.Finding) {
	seen := map[string]bool{}
	for _, m := range mappings {
		v := access.NewView(conf, m)
		for _, name := range v.WithoutExternalID() {
			if !seen[name] {
				seen[name] = true
				role := conf.Roles[name].ARN
				message := fmt.Sprintf("role %s (%s) belongs to account %s and is %s", name, role, arn.Account(role), access.DeputyWhy)
				findings = append(findings, finding(noExternalID, message, access.DeputyFix(name)))
			}
		}
	}
	return findings
}
