package access

import (
	"fmt"

	"syncd/config"
)

// deputyFindings finds the roles of other owners that are assumed without an ExternalId, each once.
func deputyFindings(conf *config.Config, mappings []config.Mapping) (findings []Finding) {
	seen := map[string]bool{}
	for _, m := range mappings {
		r := viewOf(conf, m)
		for _, name := range r.unguarded() {
			if !seen[name] {
				seen[name] = true
				arn := conf.Roles[name].ARN
				message := fmt.Sprintf("role %s (%s) belongs to account %s and is %s", name, arn, accountOf(arn), deputyWhy)
				findings = append(findings, newFinding(noExternalID, message, deputyFix(name)))
			}
		}
	}
	return findings
}
