package access

import (
	"fmt"

	"syncd/config"
)

// ofAnotherOwner reports whether a role of an account is another owner's: neither of the account it is assumed from nor of the
// mapping's destination, which is the operator's own.
func ofAnotherOwner(account, from string, m config.Mapping) bool {
	return account != from && account != m.Destination.Account
}

// unguarded are the roles of another owner that a mapping assumes without an ExternalId, and without saying that they need none.
func (r reading) unguarded() (names []string) {
	for _, name := range r.roles() {
		role := r.c.Roles[name]
		if role.ExternalID.IsZero() && ofAnotherOwner(accountOf(role.ARN), r.accountOf(role.Via), r.m) {
			names = append(names, name)
		}
	}
	return names
}

// deputyWhy and deputyFix explain the risk of another owner's role that is assumed without an ExternalId, and the remedy.
const deputyWhy = "assumed without an ExternalId, so that anyone else who can have syncd assume it gets at its owner's data (the confused deputy problem)"

func deputyFix(role string) string {
	return fmt.Sprintf("have its owner ask for an ExternalId in the trust policy and set roles.%s.external_id; or set it to none, which says that it needs none", role)
}

// deputyProbes are the doctor's warnings of such roles. They fail nothing.
func (r reading) deputyProbes() (probes []Probe) {
	for _, name := range r.unguarded() {
		arn := r.c.Roles[name].ARN
		probes = append(probes, Probe{
			Mapping: r.m.Name, Feature: FeatureCredentials, Action: actionAssume, Resource: arn, Outcome: OutcomeWarning,
			Error: fmt.Sprintf("the role of account %s is %s", accountOf(arn), deputyWhy),
			Causes: []Cause{{
				Kind: CauseConfiguration, Side: Consumer, Target: "roles." + name + ".external_id", Confidence: Certain, Why: deputyFix(name),
			}},
		})
	}
	return probes
}

// judgeDeputies finds the roles of other owners that are assumed without an ExternalId, each once.
func (c *checker) judgeDeputies(conf *config.Config, mappings []config.Mapping) {
	seen := map[string]bool{}
	for _, m := range mappings {
		r := reading{c: conf, m: m, traits: traitsOf(conf, m)}
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
