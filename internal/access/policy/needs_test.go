package policy_test

import (
	"maps"
	"strings"
	"testing"

	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/policy"
	"syncd/internal/iam"
)

// TestDocumentsAllowEveryNeed checks that the documents allow the request that each need describes.
func TestDocumentsAllowEveryNeed(t *testing.T) {
	for _, w := range accesstest.Ways() {
		t.Run(w.Example, func(t *testing.T) {
			c := accesstest.Load(t, w.Example)
			documents := policies(t, w, accesstest.ExternalID)
			for _, m := range c.Mappings {
				for _, n := range access.Needs(c, m) {
					if d := decide(n, w, documents); !d.Allowed {
						t.Errorf("%s of %q on %s: got a denial by %s %v", n.Action, n.Role, n.Sample, d.Source, d.Statement)
					}
				}
			}
		})
	}
}

// decide evaluates the documents for the typical request of a need.
func decide(n access.Need, w accesstest.Way, documents []policy.Document) iam.Decision {
	facts := maps.Clone(n.Context)
	facts["aws:PrincipalOrgID"], facts["aws:SourceVpce"] = []string{accesstest.Org}, []string{accesstest.Endpoint}
	if n.ExternalID {
		facts["sts:ExternalId"] = []string{"the-external-id"}
	}
	caller := iam.Caller{ARN: "arn:aws:iam::222222222222:user/task", Account: n.Account}
	target := w.Options.Principal
	if n.Role != "" {
		caller.ARN, caller.RoleARN = "arn:aws:sts::"+n.Account+":assumed-role/r/s", n.Principal
		target = n.Principal
	}
	kinds := map[string]access.Kind{"s3": access.KindBucket, "kms": access.KindKey, "sts": access.KindTrust}
	service, _, _ := strings.Cut(n.Action, ":")
	bucket, _, _ := strings.Cut(strings.TrimPrefix(n.Sample, "arn:aws:s3:::"), "/")
	policies := iam.Policies{Kind: resourceKind(kinds[service])}
	for _, d := range documents {
		switch {
		case d.Kind == access.KindIdentity && d.Target == target:
			policies.Identity = append(policies.Identity, d.Policy())
		case d.Kind != kinds[service] || d.Account != n.Owner:
		case d.Kind == access.KindKey, d.Target == bucket, d.Target == n.Sample:
			policies.Resource = d.Policy()
		}
	}
	return iam.Evaluate(iam.Request{Caller: caller, Action: n.Action, Resource: n.Sample, Account: n.Owner, Context: facts}, policies)
}
