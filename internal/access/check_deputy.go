package access

import (
	"fmt"

	"syncd/config"
)

// judgeDeputies finds the roles of other owners that are assumed without an ExternalId, each once.
func (c *checker) judgeDeputies(conf *config.Config, mappings []config.Mapping) {
	seen := map[string]bool{}
	for _, m := range mappings {
		r := viewOf(conf, m)
		for _, name := range r.unguarded() {
			if !seen[name] {
				seen[name] = true
				arn := conf.Roles[name].ARN
				message := fmt.Sprintf("role %s (%s) belongs to account %s and is %s", name, arn, accountOf(arn), deputyWhy)
				c.findings = append(c.findings, c.finding(noExternalID, message, deputyFix(name)))
			}
		}
	}
}
