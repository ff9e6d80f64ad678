package policy_test

import (
	"slices"
	"strings"
	"testing"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/policy"
)

// TestSessionPolicyLeftOutIsNoted checks that a note of the role's identity policy lists the
// conditions that its scoped sessions leave out.
func TestSessionPolicyLeftOutIsNoted(t *testing.T) {
	for _, tt := range []struct {
		scope string
		want  bool
	}{{"scoped", true}, {"none", false}} {
		c := accesstest.ManyMappings(t, 1, strings.Repeat("a", 199)+"-%d/")
		role := c.Roles["r"]
		role.SessionPolicy = config.SessionPolicy(tt.scope)
		c.Roles["r"] = role
		documents, err := policy.Documents(c, policy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(documents, func(d policy.Document) bool { return d.Kind == access.KindIdentity && d.Target == role.ARN })
		got := strings.Contains(strings.Join(documents[at].Notes, " "), "kms:EncryptionContext:aws:s3:arn")
		if got != tt.want {
			t.Errorf("session_policy %s: got a note %t, want %t: %q", tt.scope, got, tt.want, documents[at].Notes)
		}
	}
}
