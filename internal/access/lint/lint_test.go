package lint_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/lint"
	"syncd/internal/access/lint/document"
	"syncd/internal/access/lint/rule"
)

var update = flag.Bool("update", false, "write the results to testdata/check and docs/policy-check.md")

type brokenCase struct{ file, id, at string }

func read(t *testing.T, path string) document.File {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := document.File{Name: filepath.Base(path), Data: data}
	for _, kind := range []access.Kind{access.KindSession, access.KindServiceControl, access.KindResourceControl} {
		if strings.HasPrefix(f.Name, string(kind)+"-") {
			f.Kind = kind
		}
	}
	return f
}

func check(t *testing.T, files ...document.File) lint.Report {
	t.Helper()
	r, err := lint.Check(files, lint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// offset returns the byte offset of a line and a column in a text.
func offset(t *testing.T, text []byte, line, column int) int {
	t.Helper()
	at := 0
	for range line - 1 {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	for range column - 1 {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}

// TestBrokenDocuments checks that each broken document has the finding that broken lists for it, at
// the right location.
func TestBrokenDocuments(t *testing.T) {
	for _, tt := range broken() {
		t.Run(tt.file, func(t *testing.T) {
			f := read(t, filepath.Join("testdata/check/broken", tt.file))
			r := check(t, f)
			i := slices.IndexFunc(r.Findings, func(f rule.Finding) bool { return f.ID == tt.id })
			if i < 0 {
				t.Fatalf("got %v, want a finding %s", r.Findings, tt.id)
			}
			got := r.Findings[i]
			if text := f.Data[offset(t, f.Data, got.Line, got.Column):]; !bytes.HasPrefix(text, []byte(tt.at)) {
				t.Errorf("got line %d, column %d, at %.20q, want the location of %q", got.Line, got.Column, text, tt.at)
			}
		})
	}
}

// TestEveryBrokenDocumentIsListed checks that broken lists exactly the documents in
// testdata/check/broken.
func TestEveryBrokenDocumentIsListed(t *testing.T) {
	var want []string
	for _, c := range broken() {
		want = append(want, filepath.Join("testdata/check/broken", c.file))
	}
	got, err := filepath.Glob("testdata/check/broken/*")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFindings compares all findings for the broken documents with a golden file.
func TestFindings(t *testing.T) {
	var b strings.Builder
	for _, tt := range broken() {
		for _, f := range check(t, read(t, filepath.Join("testdata/check/broken", tt.file))).Findings {
			fmt.Fprintf(&b, "%s:%d:%d: %s: %s: %s [%s %s]\n\thint: %s\n", f.File, f.Line, f.Column, f.Severity, f.Path, f.Message, f.ID, f.Name, f.Fix)
		}
	}
	accesstest.Golden(t, *update, "testdata/check/broken.golden", []byte(b.String()))
}

// TestGoodDocuments checks that valid documents have no findings.
func TestGoodDocuments(t *testing.T) {
	paths, err := filepath.Glob("testdata/check/good/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 10 {
		t.Errorf("got %d documents, want at least 10", len(paths))
	}
	for _, path := range paths {
		if got := check(t, read(t, path)).Findings; len(got) > 0 {
			t.Errorf("%s: got %+v, want nothing", path, got)
		}
	}
}

// TestEveryRuleIsFound checks that each rule has a document with a finding of the rule.
func TestEveryRuleIsFound(t *testing.T) {
	found := map[string]bool{}
	for _, c := range broken() {
		found[c.id] = true
	}
	form := regexp.MustCompile(`^SYNCD-P[0-4][0-9]{2}$`)
	ids := map[string]bool{}
	for _, r := range lint.Rules() {
		if !form.MatchString(r.ID) || ids[r.ID] || r.Name == "" || r.Title == "" || r.Explanation == "" {
			t.Errorf("got rule %+v, want a unique ID, a name, a title and an explanation", r)
		}
		ids[r.ID] = true
		if byDocument := r.ID < "SYNCD-P4" && r.ID != "SYNCD-P013"; byDocument && !found[r.ID] {
			t.Errorf("no broken document for %s %s", r.ID, r.Name)
		}
	}
}

// TestNamesWithoutRegardToCase checks that the case of action and key names is ignored, as AWS
// does.
func TestNamesWithoutRegardToCase(t *testing.T) {
	text := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "S3:GETOBJECT", "Resource": "arn:aws:s3:::owner-data/*",
	  "Condition": {"StringEquals": {"AWS:principalTAG/Team": "red"}}}}`
	if got := check(t, document.File{Name: "a.json", Data: []byte(text)}).Findings; len(got) > 0 {
		t.Errorf("got %+v, want nothing", got)
	}
}

// TestKinds checks which kinds of documents are detected.
func TestKinds(t *testing.T) {
	tests := []struct {
		name, text string
		want       access.Kind
	}{
		{"a.json", `{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::owner-data/*"}}`, access.KindIdentity},
		{"a.json", `{"Statement": {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "s3:GetObject", "Resource": "*"}}`, access.KindBucket},
		{"a.json", `{"Statement": {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "kms:*", "Resource": "*"}}`, access.KindKey},
		{"a.json", `{"Statement": {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}}`, access.KindTrust},
		{"a.json", `{"Statement": {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sqs:SendMessage", "Resource": "*"}}`, access.KindQueue},
		{"a.json", `{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "arn:aws:s3:::owner-data"}}`, access.KindBucket},
		{"owner-bucket-policy.json", `{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}`, access.KindBucket},
		{"a.json", `{"Rules": [{"ID": "parts", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]}`, access.KindLifecycle},
		{"our-scp.json", `{"Statement": {"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}}`, access.KindServiceControl},
		{"rcp_s3.json", `{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}}`, access.KindResourceControl},
		{"a.json", `{"Policy": {"PolicySummary": {"Type": "SERVICE_CONTROL_POLICY"}, "Content": "{\"Statement\": []}"}}`, access.KindServiceControl},
		{"a.json", `{"PolicyName": "a", "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}}`, access.KindIdentity},
	}
	for _, tt := range tests {
		r := check(t, document.File{Name: tt.name, Data: []byte(tt.text)})
		if len(r.Documents) != 1 || r.Documents[0].Kind != tt.want {
			t.Errorf("%s: got %+v, want a %s policy", tt.text, r.Documents, tt.want)
		}
	}
}

// TestSARIF checks that the report in SARIF 2.1.0 contains every finding with its rule and
// location.
func TestSARIF(t *testing.T) {
	files := []document.File{read(t, "testdata/check/broken/head-object.json"), read(t, "testdata/check/broken/if-exists-on-negated.json")}
	r := check(t, files...)
	text, err := r.SARIF()
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID   string
						Help struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != len(r.Findings) {
		t.Fatalf("got %s, want one run with %d results", text, len(r.Findings))
	}
	rules := log.Runs[0].Tool.Driver.Rules
	for i, f := range r.Findings {
		got := log.Runs[0].Results[i]
		if got.RuleID != f.ID || rules[got.RuleIndex].ID != f.ID || rules[got.RuleIndex].Help.Text == "" || got.Level != string(f.Severity) {
			t.Errorf("got %+v, want rule %s at level %s", got, f.ID, f.Severity)
		}
		l := got.Locations[0].PhysicalLocation
		if l.ArtifactLocation.URI != f.File || l.Region.StartLine != f.Line || l.Region.StartColumn != f.Column {
			t.Errorf("got %+v, want %s:%d:%d", l, f.File, f.Line, f.Column)
		}
	}
}

// FuzzCheck checks that any input gives no panic, the same result every time, and valid locations.
func FuzzCheck(f *testing.F) {
	for _, c := range broken() {
		data, err := os.ReadFile(filepath.Join("testdata/check/broken", c.file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := document.File{Name: "a.json", Data: data}
		first, second := check(t, file), check(t, file)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Error(diff)
		}
		for _, finding := range first.Findings {
			if lines := 1 + bytes.Count(data, []byte("\n")); finding.Line < 1 || finding.Line > lines || finding.Column < 1 {
				t.Errorf("got %d:%d, want a location within %d lines", finding.Line, finding.Column, lines)
			}
		}
	})
}

// TestRulesDocument compares docs/policy-check.md with the rules.
func TestRulesDocument(t *testing.T) {
	accesstest.Golden(t, *update, "../../../docs/policy-check.md", lint.RulesMarkdown())
}

// TestRefused checks that a document that strict parsing rejects always has a finding with its
// location.
func TestRefused(t *testing.T) {
	text := "{\n\"Version\": \"2012-10-17\",\n\"Statement\": {\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\",\n\"Resource\": \"arn:aws:s3:::owner\\u0000data/*\"}}"
	got := check(t, document.File{Name: "a.json", Data: []byte(text), Kind: access.KindIdentity}).Findings
	if len(got) == 0 || got[len(got)-1].Line != 4 {
		t.Errorf("got %+v, want a finding in line 4", got)
	}
}

// TestEveryInputHasAFinding checks that a JSON text that contains no policy has a finding.
func TestEveryInputHasAFinding(t *testing.T) {
	for _, text := range []string{`{"documents": []}`, `{"Policy": {"PolicyName": "reader"}}`, `null`, `[]`, `"text"`, `{"Policy": ""}`} {
		if got := check(t, document.File{Name: "a.json", Data: []byte(text)}); !got.Wrong() {
			t.Errorf("%s: got %+v, want a finding", text, got)
		}
	}
}
