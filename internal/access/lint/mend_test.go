package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/access/lint/document"
	"syncd/internal/access/lint/rule"
	"syncd/internal/access/policy"
)

// TestEveryJSONFaultOfAFile checks that one run finds all JSON faults and also the faults of the
// policy.
func TestEveryJSONFaultOfAFile(t *testing.T) {
	var got []string
	for _, f := range check(t, read(t, "testdata/check/broken/many-json-faults.json")).Findings {
		got = append(got, fmt.Sprintf("%d:%d %s %s", f.Line, f.Column, f.ID, f.Message))
	}
	want := []string{
		"3:3 SYNCD-P001 a comment",
		"6:7 SYNCD-P001 curly quotes in place of \"",
		"8:75 SYNCD-P001 a comma before }",
		"9:32 SYNCD-P001 a comma is missing",
		"9:33 SYNCD-P101 there is no action s3:HeadObject",
		"10:46 SYNCD-P001 a comma is missing",
		"11:53 SYNCD-P001 a capitalized value: JSON has true, false and null",
		"12:6 SYNCD-P001 a comma before ]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSingleJSONFaults checks that a policy with one fault has only one finding, without follow-up
// errors.
func TestSingleJSONFaults(t *testing.T) {
	const good = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::222222222222:role/reader"},
      "Action": ["s3:GetObject", "s3:GetObjectTagging"],
      "Resource": "arn:aws:s3:::owner-data/*"
    }
  ]
}
`
	for _, tt := range []struct{ name, old, new string }{
		{"byte order mark", "{\n  \"Version", "\ufeff{\n  \"Version"},
		{"curly quotes", `"Allow"`, "“Allow”"},
		{"single quotes", `"Effect": "Allow"`, "'Effect': 'Allow'"},
		{"a comment", `"Effect"`, "# who\n      \"Effect\""},
		{"a comment of several lines", `"Effect"`, "/* who\n reads */ \"Effect\""},
		{"an open string", `"Allow",`, `"Allow,`},
		{"an open string at the end of a statement", `owner-data/*"`, `owner-data/*`},
		{"a tab in a string", "role/reader", "role/reader\t"},
		{"a missing comma", `"Allow",`, `"Allow"`},
		{"two commas", `"Allow",`, `"Allow",,`},
		{"a trailing comma", `owner-data/*"`, `owner-data/*",`},
		{"an invisible character", `"Allow"`, "\u00a0\"Allow\""},
		{"a missing bracket", `"s3:GetObjectTagging"]`, `"s3:GetObjectTagging"`},
		{"a missing brace", "    }\n  ]", "  ]"},
		{"the end is missing", "  ]\n}\n", ""},
		{"bare words", `"Allow"`, `Allow`},
		{"an equals sign", `"Effect":`, `"Effect"=`},
		{"a backslash", "owner-data/*", `owner-data/\*`},
		{"a placeholder", `"arn:aws:s3:::owner-data/*"`, `${resource}`},
		{"no value", `"arn:aws:s3:::owner-data/*"`, ``},
	} {
		if !strings.Contains(good, tt.old) {
			t.Fatalf("%s: the policy lacks %q", tt.name, tt.old)
		}
		found := check(t, document.File{Name: "a.json", Data: []byte(strings.Replace(good, tt.old, tt.new, 1))}).Findings
		broken := slices.DeleteFunc(slices.Clone(found), func(f rule.Finding) bool { return f.ID != "SYNCD-P001" })
		if len(broken) != 1 {
			t.Errorf("%s: got %+v, want one fault", tt.name, found)
		}
	}
}

// TestBrokenDocumentsDecideNoNeeds checks that a document that AWS would reject does not decide any
// needs, even if it can be read.
func TestBrokenDocumentsDecideNoNeeds(t *testing.T) {
	c, documents := shared(t, "one-role.yaml", policy.Options{})
	f := bundle(t, documents)
	f.Data = []byte(strings.Replace(string(f.Data), `"documents": [`, `"documents": [ // of both sides`, 1))
	findings := against(t, c, f)
	if len(findings) == 0 || findings[len(findings)-1].ID != "SYNCD-P001" || slices.ContainsFunc(findings, func(f rule.Finding) bool { return f.Severity == rule.SeverityWarning }) {
		t.Errorf("got %+v, want the comment, and notes that no usable document was given", findings)
	}
}
