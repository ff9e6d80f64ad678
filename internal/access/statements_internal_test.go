package access

import (
	"testing"

	"pgregory.net/rapid"

	"syncd/internal/iam"
)

// some draws one or two of the values.
func some(t *rapid.T, label string, of ...string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 1, 2, rapid.ID[string]).Draw(t, label)
}

func drawGrant(t *rapid.T) Grant {
	g := Grant{
		SID: "S", Deny: rapid.IntRange(0, 4).Draw(t, "deny") == 0,
		Principals: some(t, "principals", "arn:aws:iam::222222222222:role/a", "arn:aws:iam::222222222222:role/b"),
		Actions:    some(t, "actions", "s3:GetObject", "s3:PutObject"),
		Resources:  some(t, "resources", "arn:aws:s3:::b/*", "arn:aws:s3:::b/p*", "arn:aws:s3:::b/pq*"),
	}
	for _, c := range []Condition{
		{"StringLike", "s3:prefix", some(t, "like", "x*", "xy*", "z*")},
		{"StringNotEquals", "aws:SourceVpce", some(t, "not", "vpce-1", "vpce-2")},
	} {
		if rapid.Bool().Draw(t, "condition") {
			g.Conditions = append(g.Conditions, c)
		}
	}
	return g
}

// TestMinimalIsEquivalent checks that the merged statements allow and deny the same requests as the
// grants.
func TestMinimalIsEquivalent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		grants := rapid.SliceOfN(rapid.Custom(drawGrant), 1, 8).Draw(t, "grants")
		one := &iam.Document{Version: iam.Version2012}
		for _, g := range grants {
			one.Statements = append(one.Statements, g.normal().statement())
		}
		few := &iam.Document{Version: iam.Version2012, Statements: Minimal(grants)}
		if len(few.Statements) > len(grants) {
			t.Fatalf("got %d statements for %d grants, want at most as many", len(few.Statements), len(grants))
		}
		r := iam.Request{
			Action:   some(t, "action", "s3:GetObject", "s3:PutObject")[0],
			Resource: some(t, "resource", "arn:aws:s3:::b/k", "arn:aws:s3:::b/pk", "arn:aws:s3:::b/pqk")[0],
			Account:  "111111111111",
			Context: map[string][]string{
				"s3:prefix":      some(t, "prefix", "x", "xyz", "z", "other")[:1],
				"aws:SourceVpce": some(t, "endpoint", "vpce-1", "vpce-2", "vpce-3")[:1],
			},
		}
		role := some(t, "role", "a", "b", "c")[0]
		r.Caller = iam.Caller{
			ARN: "arn:aws:sts::222222222222:assumed-role/" + role + "/s", RoleARN: "arn:aws:iam::222222222222:role/" + role, Account: "222222222222",
		}
		everything := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
		decide := func(d *iam.Document) iam.Decision {
			return iam.Evaluate(r, iam.Policies{Identity: []*iam.Document{everything}, Resource: d, Kind: iam.Bucket})
		}
		want, got := decide(one), decide(few)
		if got.Allowed != want.Allowed || got.Explicit != want.Explicit {
			t.Fatalf("got allowed %t, explicit %t, want %t, %t\ngrants:\n%s\nstatements:\n%s", got.Allowed, got.Explicit, want.Allowed, want.Explicit, one, few)
		}
	})
}

func TestMinimalDropsCoveredGrants(t *testing.T) {
	wide := Grant{SID: "Wide", Actions: []string{"s3:ListBucket"}, Resources: []string{"arn:aws:s3:::b"}}
	narrow := Grant{
		SID: "Narrow", Actions: []string{"s3:ListBucket"}, Resources: []string{"arn:aws:s3:::b"},
		Conditions: []Condition{{"StringLike", "s3:prefix", []string{"p*"}}},
	}
	for _, grants := range [][]Grant{{wide, narrow}, {narrow, wide}, {wide, wide}} {
		got := Minimal(grants)
		if len(got) != 1 || len(got[0].Conditions) != 0 {
			t.Errorf("got %v, want only the wide one", got)
		}
	}
}

func TestCommonName(t *testing.T) {
	for _, tt := range [][3]string{
		{"ListSource", "ListDestination", "List"},
		{"UseKeyOfState", "UseKeyOfDestination", "UseKey"},
		{"ReadSource", "WriteState", "ReadSource"},
		{"List", "ListSource", "List"},
	} {
		if got := commonName(tt[0], tt[1]); got != tt[2] {
			t.Errorf("commonName(%q, %q): got %q, want %q", tt[0], tt[1], got, tt[2])
		}
	}
}
