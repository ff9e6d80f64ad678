package access_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/iam"
)

// pointWay has a source read through an access point.
type pointWay struct {
	account string // that owns the access point
	alias   bool
	unknown bool // the configuration does not name the bucket behind it
}

func (p pointWay) edit(text string, point *awsfake.AccessPoint) string {
	source := "bucket: " + point.ARN()
	if p.alias {
		source = "bucket: " + point.Alias() + "\n      access_point: " + point.ARN()
	}
	if !p.unknown {
		source += "\n      underlying_bucket: owner-data"
	}
	return strings.ReplaceAll(text, "bucket: owner-data", source)
}

// pointWays are the ways of sharing through an access point: the owner's, a third account's, the consumer's own.
func pointWays() map[string]way {
	return map[string]way{
		"of the owner by ARN":         {example: "share-role", point: &pointWay{account: owner}},
		"of another account by alias": {example: "share-role", point: &pointWay{account: governance, alias: true}},
		"of the consumer by ARN":      {example: "share-role", point: &pointWay{account: consumer}},
		"of a bucket that is not known": {
			example: "share-role", point: &pointWay{account: owner, unknown: true},
		},
		"let in as accounts": {example: "share-account", options: access.Options{Style: access.AccountStyle, OrgID: org}, point: &pointWay{account: owner}},
		"to a relay":         {example: "share-owner-role", options: access.Options{Principal: "arn:aws:iam::222222222222:user/task"}, point: &pointWay{account: governance}},
	}
}

// source is the bucket that is read.
func (x *world) source() *awsfake.Bucket { return x.buckets["owner-data"] }

// sourceClient reads a mapping's source. The ARN of an access point has no place in a path.
func sourceClient(t *testing.T, set *creds.Set, m config.Mapping) *s3.Client {
	t.Helper()
	c := client(t, set, m.Source.Role)
	if !strings.HasPrefix(m.Source.Bucket, "arn:") {
		return c
	}
	o := c.Options()
	o.UsePathStyle, o.BaseEndpoint = false, aws.String("https://localhost")
	return s3.New(o)
}

// bucketOf is the bucket that a policy is for, which a document about an access point may not know by its name.
func (x *world) bucketOf(d access.Document) *awsfake.Bucket {
	if strings.Contains(d.Target, "behind") {
		return x.source()
	}
	return x.buckets[d.Target]
}

// filled puts the bucket's name where a document has a placeholder, as its notes ask.
func filled(t *testing.T, policy *iam.Document) *iam.Document {
	t.Helper()
	text, err := policy.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "REPLACE_WITH_BUCKET") {
		return policy
	}
	return iam.MustParse(strings.ReplaceAll(string(text), "REPLACE_WITH_BUCKET", "owner-data"))
}

// TestEverythingGrantedIsNeededOfAnAccessPoint does for access points what TestEverythingGrantedIsNeeded does for buckets.
func TestEverythingGrantedIsNeededOfAnAccessPoint(t *testing.T) {
	if testing.Short() {
		t.Skip("its numbers cost too much under the race detector; make test runs it")
	}
	for _, name := range []string{"of another account by alias", "of the consumer by ARN", "to a relay"} {
		t.Run(name, func(t *testing.T) { takeAway(t, newWorld(t, pointWays()[name], nil)) })
	}
}

// No document names what matches no request: the alias, or the bucket in the place of the access point.
func TestPoliciesNameTheAccessPoint(t *testing.T) {
	for name, w := range pointWays() {
		t.Run(name, func(t *testing.T) {
			x := newWorld(t, w, func(text string) string {
				return strings.ReplaceAll(text, "    arn: arn:aws:iam::222222222222:role/syncd", "    session_policy: scoped\n    arn: arn:aws:iam::222222222222:role/syncd")
			})
			for _, m := range x.config.Mappings {
				for role := range x.config.Roles {
					text, err := access.SessionPolicyText(x.config, m, role)
					if err != nil && strings.Contains(err.Error(), "does not use it") {
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					checkNames(t, x, "session policy of "+role, text, role == m.Source.Role)
				}
			}
			for _, d := range x.documents {
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

func checkNames(t *testing.T, x *world, name, text string, reads bool) {
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
		found = found || strings.Contains(resources, x.point.ARN()+"/object/")
		if s.Principal == nil && strings.Contains(resources, "owner-data") {
			t.Errorf("%s names the bucket behind the access point: %s", name, resources)
		}
	}
	if reads && !found {
		t.Errorf("%s does not name the objects of %s:\n%s", name, x.point.ARN(), text)
	}
}

// The documents of an access point are in order, whole accounts of them do what the mappings need, and without one of them it is said
// which.
func TestCheckKnowsAccessPoints(t *testing.T) {
	for name, w := range pointWays() {
		if w.point.unknown {
			continue
		}
		t.Run(name, func(t *testing.T) {
			x := newWorld(t, w, nil)
			o := w.options
			o.ExternalID = externalID
			if !checkGenerated(t, name, x.config, o) {
				t.Fatal("nothing was written")
			}
			documents, err := access.Policies(x.config, access.Options{ExternalID: externalID})
			if err != nil {
				t.Fatal(err)
			}
			checkDelegated(t, x, documents)
			for _, kind := range []access.Kind{access.KindAccessPoint, access.KindBucket} {
				checkGap(t, x, documents, kind)
			}
		})
	}
}

// checkDelegated has the bucket leave access control to the access points of an account, as AWS recommends: then nothing lacks.
func checkDelegated(t *testing.T, x *world, documents []access.Document) {
	t.Helper()
	for account, want := range map[string]bool{accountOf(x.point.ARN()): false, "444444444444": true} {
		documents, delegates := slices.Clone(documents), false
		for i, d := range documents {
			if d.Kind == access.KindBucket && d.Target == "owner-data" {
				delegates = true
				documents[i].Body = iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:Get*",
					"Resource":"arn:aws:s3:::owner-data/*","Condition":{"StringEquals":{"s3:DataAccessPointAccount":%[1]q}}},
					{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::owner-data","Condition":{"StringEquals":{"s3:DataAccessPointAccount":%[1]q}}}]}`, account))
			}
		}
		text, err := access.JSONBundle(documents)
		if err != nil {
			t.Fatal(err)
		}
		r, err := access.Check([]access.File{{Name: "policies.json", Data: text}}, access.CheckOptions{Config: x.config})
		if err != nil {
			t.Fatal(err)
		}
		lacks := slices.ContainsFunc(r.Findings, func(f access.Finding) bool { return strings.Contains(f.Message, "lacks") })
		if delegates && lacks != want {
			t.Errorf("delegated to access points of %s: got a gap %v, want %v: %+v", account, lacks, want, r.Findings)
		}
	}
}

func accountOf(arn string) string { return strings.Split(arn, ":")[4] }

// checkGap empties the document of a kind in the accounts of the source, and has the check name it.
func checkGap(t *testing.T, x *world, documents []access.Document, kind access.Kind) {
	t.Helper()
	documents = slices.Clone(documents)
	emptied := ""
	for i, d := range documents {
		if d.Kind == kind && d.Account != consumer {
			documents[i].Body = iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/nobody"},"Action":"s3:GetObject","Resource":"%s"}]}`,
				d.Policy().Statements[0].Resources[0]+"*"))
			emptied = d.Account
		}
	}
	if emptied == "" {
		return // the access point is the consumer's own
	}
	text, err := access.JSONBundle(documents)
	if err != nil {
		t.Fatal(err)
	}
	r, err := access.Check([]access.File{{Name: "policies.json", Data: text}}, access.CheckOptions{Config: x.config})
	if err != nil {
		t.Fatal(err)
	}
	noun := map[access.Kind]string{access.KindAccessPoint: "access point policy", access.KindBucket: "bucket policy"}[kind]
	if !slices.ContainsFunc(r.Findings, func(f access.Finding) bool {
		return strings.Contains(f.Message, "lacks") && strings.Contains(f.Message, "the "+noun+" in account "+emptied+" does not allow it")
	}) {
		t.Errorf("without the %s: got %+v, want its gap", noun, r.Findings)
	}
}

func TestCheckOfAccessPointPolicies(t *testing.T) {
	const arn = "arn:aws:s3:us-west-2:111111111111:accesspoint/partner"
	statement := func(resource string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/syncd"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":[%q,%q]}`, arn, resource)
	}
	for resource, want := range map[string]string{
		arn + "/object/*":                      "",
		arn + "/x/*":                           "stand after /object/",
		"arn:aws:s3:::owner-data/*":            "the policy of an access point is about one access point",
		arn + "-2/object/*":                    "the policy of an access point is about one access point",
		"arn:aws:s3:::partner-1a2b-s3alias/*":  "the alias of an access point has no place in policies",
		"arn:aws:s3:::REPLACE_WITH_BUCKET/*":   "REPLACE_WITH_BUCKET is a placeholder",
		"arn:aws:s3:us-west-2::owner-data/x/*": "a bucket's ARN has no region",
	} {
		text := `{"Version":"2012-10-17","Statement":[` + statement(resource) + `]}`
		r, err := access.Check([]access.File{{Name: "p.json", Data: []byte(text)}}, access.CheckOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Documents[0].Kind != access.KindAccessPoint {
			t.Errorf("%s: got kind %s, want access-point", resource, r.Documents[0].Kind)
		}
		if got := fmt.Sprintf("%+v", r.Findings); want == "" && r.Wrong() || !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %q", resource, got, want)
		}
	}
}

const pointSettings = "\naws: {endpoint_url: \"https://localhost:9000\", allow_http: true}\n"

// doctoredPoint is a world with an access point and objects in it.
func doctoredPoint(t *testing.T, w way) *world {
	t.Helper()
	x := newWorld(t, w, func(text string) string { return text + pointSettings })
	for _, m := range x.config.Mappings {
		x.source().SetEncryption(x.ownerKey.ARN(), false)
		x.fill(m)
	}
	return x
}

func TestDoctorKnowsAccessPoints(t *testing.T) {
	for name, w := range pointWays() {
		t.Run(name, func(t *testing.T) {
			x := doctoredPoint(t, w)
			for _, p := range x.diagnose(t).Probes {
				if p.Outcome != access.OutcomeOK {
					t.Errorf("%s %s on %s: got %s (%s), want ok", p.Mapping, p.Action, p.Resource, p.Outcome, p.Error)
				}
			}
			if x.point == nil || w.point.account == consumer {
				return
			}
			x.point.SetPolicy(nil)
			x.expectCause(t, access.KindAccessPoint, w.point.account, x.point.ARN(), x.point.ARN())
			x.enforce(t, x.documents)
			x.source().SetPolicy(nil)
			if name == "to a relay" {
				return // the reader is of the bucket's account, where its own permissions suffice
			}
			target := "owner-data"
			if w.point.unknown {
				target = "bucket behind " + x.point.ARN()
			}
			x.expectCause(t, access.KindBucket, owner, target, "s3:DataAccessPointArn")
		})
	}
}

// expectCause has a diagnosis name a document as a cause, with a statement that has a text in it.
func (x *world) expectCause(t *testing.T, kind access.Kind, account, target, statement string) {
	t.Helper()
	for _, p := range bad(x.diagnose(t)) {
		for _, c := range p.Causes {
			if c.Kind == access.CauseKind(kind) && c.Account == account && c.Target == target && strings.Contains(string(c.Statement), statement) {
				return
			}
		}
	}
	t.Errorf("got no cause %s policy of %s in %s with %s", kind, target, account, statement)
}

// A mapping whose access point is in another region than its destination is relayed: S3 does not copy from there.
func TestAccessPointsOfOtherRegionsAreRelayed(t *testing.T) {
	const text = `{state: "file:x", roles: {r: {arn: "arn:aws:iam::222222222222:role/r"}}, mappings: [{name: m,
		source: {bucket: "arn:aws:s3:eu-west-1:111111111111:accesspoint/partner", region: eu-west-1, account: "111111111111", role: r},
		destination: {bucket: consumer-copy, region: us-west-2, account: "222222222222", role: r, kms_key: "` + exampleKey + `"}}]}`
	c := parse(t, text)
	if !c.Relayed(c.Mappings[0]) {
		t.Error("got a server-side copy, want a relay")
	}
	needs := access.Needs(c, c.Mappings[0])
	if i := slices.IndexFunc(needs, func(n access.Need) bool { return n.Feature == access.FeatureCopy }); i >= 0 {
		t.Errorf("got %+v, want nothing that only server-side copies need", needs[i])
	}
}
