package policy_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/config/secret"
	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/policy"
	"syncd/internal/iam"
)

// TestTrustPinsWhatTheCallerChooses checks that a caller cannot choose the tags or the source
// identity of a session. STS rejects a request if a tag or the source identity is missing, added or
// different from the configuration.
func TestTrustPinsWhatTheCallerChooses(t *testing.T) {
	for _, tt := range []struct {
		way, role, name string
		edit            func(r *config.Role)
		refused         string // the action that AWS names, or "" if the request succeeds
	}{
		{"share-role", "consumer", "as configured", func(*config.Role) {}, ""},
		{"share-role", "consumer", "another tag value", func(r *config.Role) { r.Tags["access-project"] = "pond" }, "sts:TagSession"},
		{"share-role", "consumer", "one more tag", func(r *config.Role) { r.Tags["admin"] = "yes" }, "sts:TagSession"},
		{"share-role", "consumer", "no tags", func(r *config.Role) { r.Tags = nil }, "sts:AssumeRole"},
		{"share-role", "consumer", "another source identity", func(r *config.Role) { r.SourceIdentity = "mallory" }, "sts:AssumeRole"},
		{"share-role", "consumer", "no source identity", func(r *config.Role) { r.SourceIdentity = "" }, "sts:AssumeRole"},
		{"share-role", "consumer", "another external id", func(r *config.Role) { r.ExternalID = secret.PlainExternalID("a-guess") }, "sts:AssumeRole"},
		{"share-role", "consumer", "a transitive tag", func(r *config.Role) { r.TransitiveTags = []string{"access-project"} }, "sts:TagSession"},
		{"share-abac", "governance", "one more transitive tag", func(r *config.Role) { r.TransitiveTags = append(r.TransitiveTags, "cost-center") }, "sts:TagSession"},
		{"share-account", "consumer", "a tag although none is configured", func(r *config.Role) { r.Tags = map[string]string{"admin": "yes"} }, "sts:TagSession"},
		{"share-account", "consumer", "a source identity although none is configured", func(r *config.Role) { r.SourceIdentity = "mallory" }, "sts:SetSourceIdentity"},
		{"share-abac", "governance", "one tag fewer at the first hop", func(r *config.Role) { delete(r.Tags, "cost-center") }, "sts:AssumeRole"},
		{"share-abac", "governance", "another identity at the first hop", func(r *config.Role) { r.SourceIdentity = "mallory" }, "sts:AssumeRole"},
		{"share-abac", "consumer", "a tag at the last hop", func(r *config.Role) { r.Tags = map[string]string{"admin": "yes"} }, "sts:TagSession"},
	} {
		t.Run(tt.way+"/"+tt.name, func(t *testing.T) {
			x := accesstest.NewWorld(t, accesstest.WayOf(t, tt.way), nil)
			set := x.EditedSessions(t, func(name string, role *config.Role) {
				if name == tt.role {
					tt.edit(role)
				}
			})
			_, err := accesstest.Client(t, set, "consumer").ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data"), Prefix: aws.String("exports/")})
			if tt.refused == "" {
				if err != nil {
					t.Errorf("got %v, want a session", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), "is not authorized to perform: "+tt.refused) {
				t.Errorf("got %v, want %s refused", err, tt.refused)
			}
		})
	}
}

// TestTrustPinsATagWithoutAValue checks that a role whose only tag has an empty value cannot be
// assumed without the tag or with a different tag. Null treats an empty value as absent.
func TestTrustPinsATagWithoutAValue(t *testing.T) {
	for name, tags := range map[string]map[string]string{"with it": {"frozen": ""}, "without it": nil, "with another": {"thawed": ""}} {
		x := accesstest.NewWorld(t, accesstest.WayOf(t, "share-role"), func(text string) string { return strings.Replace(text, "access-project: lake", `frozen: ""`, 1) })
		set := x.EditedSessions(t, func(role string, r *config.Role) {
			if role == "consumer" {
				r.Tags = tags
			}
		})
		_, err := accesstest.Client(t, set, "consumer").ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data"), Prefix: aws.String("exports/")})
		if (err == nil) != (name == "with it") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestInheritedTagsShownOrHidden checks that the trust policy of the next hop allows the inherited
// tags whether or not STS treats them as request tags, which AWS does not document. The policy
// denies any other tag.
func TestInheritedTagsShownOrHidden(t *testing.T) {
	documents := policies(t, accesstest.WayOf(t, "share-abac"), accesstest.ExternalID)
	trust := document(t, documents, access.KindTrust, accesstest.Consumer).Policy()
	session := map[string][]string{
		"aws:PrincipalTag/access-project": {"lake"}, "aws:PrincipalTag/cost-center": {"4711"}, "aws:PrincipalOrgID": {accesstest.Org}, "aws:SourceIdentity": {"syncd"},
	}
	for _, tt := range []struct {
		name string
		tags map[string]string
		want bool
	}{
		{"not shown", nil, true},
		{"shown", map[string]string{"access-project": "lake"}, true},
		{"shown with another value", map[string]string{"access-project": "pond"}, false},
		{"another passed", map[string]string{"admin": "yes"}, false},
		{"another one passed in addition", map[string]string{"access-project": "lake", "admin": "yes"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			facts := maps.Clone(session)
			for key, value := range tt.tags {
				facts["aws:RequestTag/"+key] = []string{value}
				facts["aws:TagKeys"] = append(facts["aws:TagKeys"], key)
			}
			d := iam.Evaluate(iam.Request{
				Caller: iam.Caller{ARN: "arn:aws:sts::333333333333:assumed-role/data-access/s", RoleARN: "arn:aws:iam::333333333333:role/data-access", Account: accesstest.Governance},
				Action: "sts:TagSession", Resource: "arn:aws:iam::222222222222:role/syncd-consumer", Account: accesstest.Consumer, Context: facts,
			}, iam.Policies{Resource: trust, Kind: iam.Trust, Identity: []*iam.Document{iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}})
			if d.Allowed != tt.want {
				t.Errorf("got allowed %t, want %t", d.Allowed, tt.want)
			}
		})
	}
}

// TestTrustBetweenOwners checks that the trust policy of another owner's role requires an
// ExternalId, even if the configuration does not set one, and names the principal if it is known.
func TestTrustBetweenOwners(t *testing.T) {
	const task = "arn:aws:iam::222222222222:role/task"
	text := strings.Replace(accesstest.Example(t, "share-owner-role"), "    external_id: {file: /run/secrets/external-id} # read again at every AssumeRole\n", "", 1)
	for _, style := range []policy.Style{policy.RoleStyle, policy.AccountStyle} {
		for _, principal := range []string{"", task} {
			documents, err := policy.Documents(accesstest.Parse(t, text), policy.Options{Style: style, Principal: principal})
			if err != nil {
				t.Fatal(err)
			}
			d := document(t, documents, access.KindTrust, accesstest.Owner)
			assume := d.Policy().Statements[0]
			want := principal
			if principal == "" {
				want = "arn:aws:iam::222222222222:root"
			}
			if len(assume.Principals) != 1 || assume.Principals[0].ID != want {
				t.Errorf("style %s, principal %q: got principals %v, want %s", style, principal, assume.Principals, want)
			}
			if len(assume.Conditions) != 1 || assume.Conditions[0].Key != "sts:ExternalId" || assume.Conditions[0].Values[0] != secret.Placeholder {
				t.Errorf("style %s: got conditions %v, want one on the ExternalId", style, assume.Conditions)
			}
			if notes := strings.Join(d.Notes, "\n"); !strings.Contains(notes, "First set roles.reader.external_id") || !strings.Contains(notes, secret.Placeholder) {
				t.Errorf("style %s: got the notes %q, want what to do first", style, notes)
			}
		}
	}
}

// TestTrustLeavesOutWhatDoesNotFit checks that the trust policy omits some conditions if the values
// of all tags do not fit. In style abac it never omits values, because other policies check them.
func TestTrustLeavesOutWhatDoesNotFit(t *testing.T) {
	c := accesstest.Load(t, "share-role")
	role := c.Roles["consumer"]
	for _, tt := range []struct {
		n    int
		want string
	}{{1, ""}, {12, "the tags required by sts:AssumeRole"}, {30, "the values of session tags"}} {
		n, want := tt.n, tt.want
		role.Tags = map[string]string{}
		for i := range n {
			role.Tags["a-key-of-a-tag-"+string(rune('A'+i))] = "a value of a tag, as values are"
		}
		c.Roles["consumer"] = role
		documents, err := policy.Documents(c, policy.Options{ExternalID: accesstest.ExternalID})
		if err != nil {
			t.Fatal(err)
		}
		d := document(t, documents, access.KindTrust, accesstest.Consumer)
		notes := strings.Join(d.Notes, "\n")
		if got := strings.Contains(notes, "leaves out"); got != (want != "") || !strings.Contains(notes, want) {
			t.Errorf("%d tags: got the notes %q, want %q", n, notes, want)
		}
		if text := d.Policy().String(); !strings.Contains(text, `"ForAllValues:StringEquals"`) {
			t.Errorf("%d tags: got %s, want conditions on the tag keys", n, text)
		}
	}
	if _, err := policy.Documents(c, policy.Options{ExternalID: accesstest.ExternalID, Style: policy.ABACStyle}); err == nil {
		t.Error("30 tags in style abac: got documents, want an error: policies check the values")
	}
}

// TestTrustWithoutAnExternalID checks that with external_id: none the trust policy has no condition
// on an ExternalId, and names the principal that may assume the role.
func TestTrustWithoutAnExternalID(t *testing.T) {
	text := strings.Replace(accesstest.Example(t, "share-owner-role"), "{file: /run/secrets/external-id} # read again at every AssumeRole", "none", 1)
	for _, o := range []policy.Options{{}, {Principal: "arn:aws:iam::222222222222:role/task"}, {OrgID: accesstest.Org}} {
		documents, err := policy.Documents(accesstest.Parse(t, text), o)
		if o.Principal == "" && o.OrgID == "" {
			if err == nil || !strings.Contains(err.Error(), "roles.reader.external_id is none") {
				t.Errorf("no known principal: got %v, want an error that asks for one", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if body := document(t, documents, access.KindTrust, accesstest.Owner).Policy().String(); strings.Contains(body, "sts:ExternalId") {
			t.Errorf("%+v: got %s, want no ExternalId", o, body)
		}
	}
}
