package policy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"syncd/internal/access"
	"syncd/internal/access/accesstest"
)

// TestEverythingGrantedIsNeededOfAnAccessPoint checks the same as TestEverythingGrantedIsNeeded,
// but for access points.
func TestEverythingGrantedIsNeededOfAnAccessPoint(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	for _, name := range []string{"of another account by alias", "of the consumer by ARN", "to a relay"} {
		t.Run(name, func(t *testing.T) { takeAway(t, accesstest.NewWorld(t, accesstest.PointWays()[name], nil)) })
	}
}

// TestPoliciesNameTheAccessPoint checks that policies name the access point by its ARN. A policy
// with the alias of the access point would match no request. In the policies that apply to the
// access point, the name of the bucket would match no request either.
func TestPoliciesNameTheAccessPoint(t *testing.T) {
	for name, w := range accesstest.PointWays() {
		t.Run(name, func(t *testing.T) {
			x := accesstest.NewWorld(t, w, func(text string) string {
				return strings.ReplaceAll(text, "    arn: arn:aws:iam::222222222222:role/syncd", "    session_policy: scoped\n    arn: arn:aws:iam::222222222222:role/syncd")
			})
			for _, m := range x.Config.Mappings {
				for role := range x.Config.Roles {
					text, err := access.SessionPolicyText(x.Config, m, role)
					if err != nil && strings.Contains(err.Error(), "does not use it") {
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					checkNames(t, x, "session policy of "+role, text, role == m.Source.Role)
				}
			}
			for _, d := range x.Documents {
				text, err := json.Marshal(d.Body)
				if err != nil {
					t.Fatal(err)
				}
				reads := d.Kind == access.KindAccessPoint || d.Kind == access.KindIdentity && strings.Contains(string(text), "ReadSource")
				checkNames(t, x, d.Name, string(text), reads)
			}
		})
	}
}

func checkNames(t *testing.T, x *accesstest.World, name, text string, reads bool) {
	t.Helper()
	if strings.Contains(text, "s3alias") {
		t.Errorf("%s names the alias:\n%s", name, text)
	}
	var d struct {
		Statement []struct{ Principal, Action, Resource, Condition any }
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, s := range d.Statement {
		resources := fmt.Sprint(s.Resource)
		found = found || strings.Contains(resources, x.Point.ARN()+"/object/")
		if s.Principal == nil && strings.Contains(resources, "owner-data") {
			t.Errorf("%s names the bucket behind the access point: %s", name, resources)
		}
	}
	if reads && !found {
		t.Errorf("%s does not name the objects of %s:\n%s", name, x.Point.ARN(), text)
	}
}
