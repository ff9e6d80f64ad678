package lint_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/lint"
	"syncd/internal/access/lint/document"
	"syncd/internal/access/lint/rule"
	"syncd/internal/access/policy"
	"syncd/internal/iam"
)

// shared returns a configuration and the documents written for it.
func shared(t *testing.T, example string, o policy.Options) (*config.Config, []policy.Document) {
	t.Helper()
	c, err := config.Load(filepath.Join("../../../config/examples", example))
	if err != nil {
		t.Fatal(err)
	}
	o.ExternalID = func(string) (string, error) { return "syncd-example", nil }
	documents, err := policy.Documents(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return c, documents
}

// bundle returns the documents as one file, as `syncd policy` prints them.
func bundle(t *testing.T, documents []policy.Document) document.File {
	t.Helper()
	text, err := policy.JSONBundle(documents)
	if err != nil {
		t.Fatal(err)
	}
	return document.File{Name: "policies.json", Data: text}
}

func against(t *testing.T, c *config.Config, files ...document.File) []rule.Finding {
	t.Helper()
	r, err := lint.Check(files, lint.Options{Config: c})
	if err != nil {
		t.Fatal(err)
	}
	return r.Findings
}

// TestWrittenPoliciesHaveNoFindings checks that documents written in any style have no findings and
// are sufficient for the mappings.
func TestWrittenPoliciesHaveNoFindings(t *testing.T) {
	examples, err := filepath.Glob("../../../config/examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, example := range examples {
		for _, style := range []policy.Style{policy.RoleStyle, policy.AccountStyle, policy.ABACStyle} {
			o := policy.Options{Style: style}
			if style == policy.ABACStyle {
				if name := filepath.Base(example); name != "share-abac.yaml" && name != "chain.yaml" {
					continue // its roles have no session tags
				}
				o.OrgID, o.VPCEndpoint = "o-a1b2c3d4e5", "vpce-0123456789abcdef0"
			}
			c, documents := shared(t, filepath.Base(example), o)
			for _, f := range against(t, c, bundle(t, documents)) {
				t.Errorf("%s in style %s: got %+v, want nothing", filepath.Base(example), style, f)
			}
		}
	}
}

// TestEveryMissingPermissionIsFound checks that removing an action from a written document results
// in a finding that names the action and contains a statement that fixes the gap.
func TestEveryMissingPermissionIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	for _, example := range []string{"one-role.yaml", "two-roles.yaml", "chain.yaml"} {
		t.Run(example, func(t *testing.T) {
			c, documents := shared(t, example, policy.Options{})
			taken := 0
			for i, d := range documents {
				if policy := d.Policy(); policy != nil {
					taken += takeEach(t, c, documents, i)
				}
			}
			if taken < 10 {
				t.Errorf("got %d actions to remove, want many more", taken)
			}
		})
	}
}

// takeEach removes the actions of a document one at a time, and returns their number.
func takeEach(t *testing.T, c *config.Config, documents []policy.Document, i int) (taken int) {
	t.Helper()
	d := documents[i]
	for j, s := range d.Policy().Statements {
		for k, action := range s.Actions {
			if s.Effect != iam.Allow || strings.HasPrefix(s.SID, "TagSession") && strings.Contains(d.Policy().String(), `"TagSessionUnseen"`) {
				continue // another statement allows the same request
			}
			taken++
			less := without(documents, i, j, k)
			findings := against(t, c, bundle(t, less))
			got := slices.IndexFunc(findings, func(f rule.Finding) bool { return f.ID == "SYNCD-P401" && strings.Contains(f.Message, action) })
			if got < 0 {
				t.Errorf("%s without %s: got %+v, want a finding SYNCD-P401 that names it", d.Name, action, findings)
				continue
			}
			less[i].Body = withStatement(t, less[i].Policy(), findings[got].Fix)
			for _, f := range against(t, c, bundle(t, less)) {
				if f.ID == "SYNCD-P401" && f.Message == findings[got].Message {
					t.Errorf("%s with the statement of the hint: got %+v, want no finding", d.Name, f)
				}
			}
		}
	}
	return taken
}

// without returns the documents with one action removed. If the statement has no other action, a
// harmless action replaces the removed one.
func without(documents []policy.Document, i, j, k int) []policy.Document {
	less := slices.Clone(documents)
	p := *less[i].Policy()
	p.Statements = slices.Clone(p.Statements)
	p.Statements[j].Actions = slices.Delete(slices.Clone(p.Statements[j].Actions), k, k+1)
	if len(p.Statements[j].Actions) == 0 {
		harmless := map[access.Kind]string{access.KindTrust: "sts:SetContext", access.KindKey: "kms:GetPublicKey"}
		p.Statements[j].Actions = []string{cmp.Or(harmless[less[i].Kind], "s3:GetBucketLocation")}
	}
	less[i].Body = &p
	return less
}

func withStatement(t *testing.T, p *iam.Document, fix string) *iam.Document {
	t.Helper()
	_, text, _ := strings.Cut(fix, "add the statement ")
	added, err := iam.Parse(fmt.Appendf(nil, `{"Version": "2012-10-17", "Statement": [%s]}`, text))
	if err != nil {
		t.Fatalf("got fix %q: %v", fix, err)
	}
	more := *p
	more.Statements = append(slices.Clone(p.Statements), added.Statements...)
	return &more
}

// TestDenyIsNamed checks that a Deny statement that denies a need has a finding of rule SYNCD-P402,
// not a finding about a missing permission, and that the finding is located at the statement.
func TestDenyIsNamed(t *testing.T) {
	c, documents := shared(t, "one-role.yaml", policy.Options{})
	source := c.Mappings[0].Source.Bucket
	i := slices.IndexFunc(documents, func(d policy.Document) bool { return d.Kind == access.KindBucket && d.Target == source })
	more := *documents[i].Policy()
	more.Statements = append(slices.Clone(more.Statements), iam.Statement{
		SID: "No", Effect: iam.Deny, Principals: []iam.Principal{{Kind: iam.AnyPrincipal}}, Actions: []string{"s3:GetObjectTagging"},
		Resources: []string{"arn:aws:s3:::" + source + "/*"},
	})
	documents[i].Body = &more
	findings := against(t, c, bundle(t, documents))
	got := slices.IndexFunc(findings, func(f rule.Finding) bool { return f.ID == "SYNCD-P402" })
	if got < 0 || !strings.HasPrefix(findings[got].Path, fmt.Sprintf("Statement[%d]", len(more.Statements)-1)) || findings[got].Line < 2 {
		t.Errorf("got %+v, want SYNCD-P402 at the deny", findings)
	}
}

// TestMissingDocumentsAreNotes checks that a document that was not given results in a note, not in
// an error or a warning.
func TestMissingDocumentsAreNotes(t *testing.T) {
	c, documents := shared(t, "one-role.yaml", policy.Options{})
	i := slices.IndexFunc(documents, func(d policy.Document) bool { return d.Kind == access.KindKey })
	r, err := lint.Check([]document.File{bundle(t, documents[i:i+1])}, lint.Options{Config: c})
	if err != nil {
		t.Fatal(err)
	}
	notes := 0
	for _, f := range r.Findings {
		if f.ID != "SYNCD-P403" {
			t.Errorf("got %+v, want notes only", f)
		}
		notes++
	}
	if notes == 0 || r.Wrong() {
		t.Errorf("got %d notes, wrong %v, want some notes and wrong false", notes, r.Wrong())
	}
}

// TestBarePolicies checks that documents without metadata, which do not name their role or key, are
// assigned to the matching roles and keys.
func TestBarePolicies(t *testing.T) {
	c, documents := shared(t, "two-roles.yaml", policy.Options{})
	var files []document.File
	for _, d := range documents {
		text, err := json.Marshal(d.Body)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, document.File{Name: d.Name + ".json", Data: text})
	}
	for _, f := range against(t, c, files...) {
		if f.ID >= "SYNCD-P4" {
			t.Errorf("got %+v, want no findings", f)
		}
	}
}

// TestUnknownMapping checks that an unknown mapping is an error.
func TestUnknownMapping(t *testing.T) {
	c, _ := shared(t, "one-role.yaml", policy.Options{})
	if _, err := lint.Check(nil, lint.Options{Config: c, Mappings: []string{"nope"}}); err == nil {
		t.Error("got no error, want one that names the mapping")
	}
	if _, err := lint.Check(nil, lint.Options{Mappings: []string{"nope"}}); err == nil {
		t.Error("got no error, want one that asks for a configuration")
	}
}
