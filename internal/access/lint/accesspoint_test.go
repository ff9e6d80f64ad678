package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/lint"
	"syncd/internal/access/lint/document"
	"syncd/internal/access/lint/rule"
	"syncd/internal/access/policy"
	"syncd/internal/iam"
)

// TestCheckKnowsAccessPoints checks that the documents for an access point have no findings and
// allow everything that the mappings need, and that a finding names the access point policy or the
// bucket policy if it has no statements.
func TestCheckKnowsAccessPoints(t *testing.T) {
	for name, w := range accesstest.PointWays() {
		if w.Point.Unknown {
			continue
		}
		t.Run(name, func(t *testing.T) {
			x := accesstest.NewWorld(t, w, nil)
			o := w.Options
			o.ExternalID = accesstest.ExternalID
			if !checkGenerated(t, name, x.Config, o) {
				t.Fatal("nothing was written")
			}
			documents, err := policy.Documents(x.Config, policy.Options{ExternalID: accesstest.ExternalID})
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

// checkDelegated replaces the bucket policy with one that delegates access control to the access
// points of an account, as AWS recommends. It checks that no permission is missing then.
func checkDelegated(t *testing.T, x *accesstest.World, documents []policy.Document) {
	t.Helper()
	for account, want := range map[string]bool{accountOf(x.Point.ARN()): false, "444444444444": true} {
		documents, delegates := slices.Clone(documents), false
		for i, d := range documents {
			if d.Kind == access.KindBucket && d.Target == "owner-data" {
				delegates = true
				documents[i].Body = iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:Get*",
					"Resource":"arn:aws:s3:::owner-data/*","Condition":{"StringEquals":{"s3:DataAccessPointAccount":%[1]q}}},
					{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::owner-data","Condition":{"StringEquals":{"s3:DataAccessPointAccount":%[1]q}}}]}`, account))
			}
		}
		text, err := policy.JSONBundle(documents)
		if err != nil {
			t.Fatal(err)
		}
		r, err := lint.Check([]document.File{{Name: "policies.json", Data: text}}, lint.Options{Config: x.Config})
		if err != nil {
			t.Fatal(err)
		}
		lacks := slices.ContainsFunc(r.Findings, func(f rule.Finding) bool { return strings.Contains(f.Message, "lacks") })
		if delegates && lacks != want {
			t.Errorf("delegated to access points of %s: got a missing permission %v, want %v: %+v", account, lacks, want, r.Findings)
		}
	}
}

func accountOf(arn string) string { return strings.Split(arn, ":")[4] }

// checkGap removes all statements from the document of a kind in the accounts of the source, and
// checks that a finding names the document.
func checkGap(t *testing.T, x *accesstest.World, documents []policy.Document, kind access.Kind) {
	t.Helper()
	documents = slices.Clone(documents)
	emptied := ""
	for i, d := range documents {
		if d.Kind == kind && d.Account != accesstest.Consumer {
			documents[i].Body = iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/nobody"},"Action":"s3:GetObject","Resource":"%s"}]}`,
				d.Policy().Statements[0].Resources[0]+"*"))
			emptied = d.Account
		}
	}
	if emptied == "" {
		return // the access point belongs to the consumer, so there is no such document
	}
	text, err := policy.JSONBundle(documents)
	if err != nil {
		t.Fatal(err)
	}
	r, err := lint.Check([]document.File{{Name: "policies.json", Data: text}}, lint.Options{Config: x.Config})
	if err != nil {
		t.Fatal(err)
	}
	noun := map[access.Kind]string{access.KindAccessPoint: "access point policy", access.KindBucket: "bucket policy"}[kind]
	if !slices.ContainsFunc(r.Findings, func(f rule.Finding) bool {
		return strings.Contains(f.Message, "lacks") && strings.Contains(f.Message, "the "+noun+" in account "+emptied+" does not allow it")
	}) {
		t.Errorf("without the %s: got %+v, want a finding that names it", noun, r.Findings)
	}
}

func TestCheckOfAccessPointPolicies(t *testing.T) {
	const arn = "arn:aws:s3:us-west-2:111111111111:accesspoint/partner"
	statement := func(resource string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/syncd"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":[%q,%q]}`, arn, resource)
	}
	for resource, want := range map[string]string{
		arn + "/object/*":                      "",
		arn + "/x/*":                           "follow /object/",
		"arn:aws:s3:::owner-data/*":            "an access point policy applies to only one access point",
		arn + "-2/object/*":                    "an access point policy applies to only one access point",
		"arn:aws:s3:::partner-1a2b-s3alias/*":  "an access point alias cannot be used in a policy",
		"arn:aws:s3:::REPLACE_WITH_BUCKET/*":   "REPLACE_WITH_BUCKET is a placeholder",
		"arn:aws:s3:us-west-2::owner-data/x/*": "a bucket ARN has no region",
	} {
		text := `{"Version":"2012-10-17","Statement":[` + statement(resource) + `]}`
		r, err := lint.Check([]document.File{{Name: "p.json", Data: []byte(text)}}, lint.Options{})
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
