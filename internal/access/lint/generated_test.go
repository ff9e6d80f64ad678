package lint_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"syncd/config"
	"syncd/config/secret"
	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/lint"
	"syncd/internal/access/lint/document"
	"syncd/internal/access/policy"
)

// mutants selects how many of the written documents to check: a sample, or all.
var mutants = flag.String("mutants", "some", "which generated documents to check: some, all")

// failer is a test of the standard library or of rapid.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// generated returns the combinations of options to test: all styles, sides and sets of known
// principals.
func generated() (all []policy.Options) {
	for _, style := range []policy.Style{policy.RoleStyle, policy.AccountStyle, policy.ABACStyle} {
		for _, side := range []access.Side{access.Both, access.Owner, access.Consumer} {
			for _, o := range []policy.Options{
				{},
				{Principal: "arn:aws:iam::222222222222:role/task"},
				{OrgID: accesstest.Org, VPCEndpoint: accesstest.Endpoint, SourceKeys: []string{"arn:aws:kms:us-west-2:111111111111:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"}},
			} {
				if side != access.Both && (o.Principal != "" || o.OrgID != "") {
					continue // the documents of one side are the same as with access.Both
				}
				o.Style, o.Side, o.ExternalID = style, side, accesstest.ExternalID
				all = append(all, o)
			}
		}
	}
	return all
}

// checkGenerated checks the documents that package policy writes for a configuration, in every
// format. It returns false if there are none.
func checkGenerated(t failer, name string, c *config.Config, o policy.Options) bool {
	t.Helper()
	documents, err := policy.Documents(c, o)
	if err != nil {
		tooLarge, _ := errors.AsType[*access.SizeError](err)
		if tooLarge == nil && !strings.Contains(err.Error(), "style abac checks session tags") && !strings.Contains(err.Error(), "external_id is none") {
			t.Errorf("%s: got %v, want documents", name, err)
		}
		return false
	}
	name = fmt.Sprintf("%s in style %s, side %s", name, o.Style, o.Side)
	text, err := policy.JSONBundle(documents)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	against := lint.Options{}
	if o.Side == access.Both && o.SourceKeys == nil && o.Principal == "" && asksExternalIDs(c) {
		against.Config = c
	}
	nothingFound(t, name+" on standard output", against, document.File{Name: "policies.json", Data: text})
	rendered, err := policy.JSON(documents)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, f := range rendered {
		nothingFound(t, name+" in "+f.Name, lint.Options{}, document.File{Name: f.Name, Data: f.Text})
	}
	o.ExternalID = policy.ExternalIDVariable
	variables, err := policy.Documents(c, o)
	if err != nil {
		t.Fatalf("%s with variables: %v", name, err)
	}
	carries(t, name+" in Terraform", documents, terraformBodies(t, variables))
	carries(t, name+" in CloudFormation", documents, templateBodies(t, variables))
	return true
}

// asksExternalIDs reports whether the configuration sets external_id for every role of another
// owner. For a role without it, the documents require an ExternalId that the configuration does not
// have.
func asksExternalIDs(c *config.Config) bool {
	for _, r := range c.Roles {
		caller := accesstest.Consumer
		if r.Via != "" {
			caller = strings.Split(c.Roles[r.Via].ARN, ":")[4]
		}
		if account := strings.Split(r.ARN, ":")[4]; r.ExternalID.IsZero() && account != caller && account != accesstest.Consumer {
			return false
		}
	}
	return true
}

func nothingFound(t failer, name string, o lint.Options, files ...document.File) {
	t.Helper()
	r, err := lint.Check(files, o)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, f := range r.Findings {
		if f.ID == "SYNCD-P010" {
			continue // intended as an inline policy, as its note says
		}
		t.Errorf("%s: got %+v, want nothing", name, f)
	}
}

// carries checks that bodies, the JSON texts from files in another format than JSON, contain the
// documents. In the other format, ExternalIds are variables.
func carries(t failer, name string, documents []policy.Document, bodies []string) {
	t.Helper()
	for _, d := range documents {
		if d.Kind == access.KindLifecycle {
			continue
		}
		body, err := json.Marshal(d.Body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Contains(bodies, canonical(t, body)) {
			t.Errorf("%s: %s is missing from the files or differs", name, d.Name)
		}
	}
}

// canonical returns JSON text in canonical form.
func canonical(t failer, text []byte) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("read %s: %v", text, err)
	}
	again, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(again)
}

func terraformBodies(t failer, documents []policy.Document) (bodies []string) {
	t.Helper()
	files, err := policy.Terraform(documents)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, f := range files {
		for _, body := range accesstest.EncodedIn(string(f.Text), `"the-external-id"`) {
			bodies = append(bodies, canonical(t, []byte(body)))
		}
	}
	return bodies
}

func templateBodies(t failer, documents []policy.Document) (bodies []string) {
	t.Helper()
	files, err := policy.CloudFormation(documents)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, f := range files {
		var template struct {
			Metadata  map[string]struct{ Document json.RawMessage }
			Resources map[string]struct {
				Properties struct{ PolicyDocument, AssumeRolePolicyDocument json.RawMessage }
			}
		}
		if err := json.Unmarshal(f.Text, &template); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		var found []json.RawMessage
		for _, m := range template.Metadata {
			found = append(found, m.Document)
		}
		for _, r := range template.Resources {
			found = append(found, r.Properties.PolicyDocument, r.Properties.AssumeRolePolicyDocument)
		}
		for _, body := range found {
			if body != nil {
				text := regexp.MustCompile(`\{\s*"Ref": "ExternalIdOf[A-Za-z0-9]+"\s*\}`).ReplaceAll(body, []byte(`"the-external-id"`))
				bodies = append(bodies, canonical(t, text))
			}
		}
	}
	return bodies
}

// checkSessions checks the policies of scoped sessions.
func checkSessions(t failer, name string, c *config.Config) {
	t.Helper()
	for _, m := range c.Mappings {
		for role := range c.Roles {
			text, err := access.SessionPolicyText(c, m, role)
			if err == nil {
				nothingFound(t, name+", session of "+role, lint.Options{}, document.File{Name: "session.json", Data: []byte(text), Kind: access.KindSession})
			}
		}
	}
}

// examples returns all valid configurations between AWS accounts that the repository contains, in
// files, scripts and Markdown documents.
func examples(t *testing.T) map[string]*config.Config {
	t.Helper()
	found := map[string]*config.Config{}
	words := placeholders(t)
	err := filepath.WalkDir("../../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".txtar", ".md"}, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, part := range configurations(words.Replace(string(text)), filepath.Ext(path)) {
			c, err := config.Parse([]byte(part), path)
			if err == nil && betweenAccounts(c) {
				found[fmt.Sprintf("%s#%d", strings.TrimPrefix(path, "../../../"), i)] = c
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// placeholders returns a replacer for the placeholders in deploy/ecs/README.md.
func placeholders(t *testing.T) *strings.Replacer {
	t.Helper()
	text, err := os.ReadFile("../../../deploy/ecs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	pairs := []string{"$SOURCE", "owner-data", "$COPY", "consumer-copy", "$OWNER", accesstest.Owner, "$CONSUMER", accesstest.Consumer, "$AWS_REGION", accesstest.Region, "$KEY", accesstest.ExampleKey}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		pairs = append(pairs, row[1], row[2])
	}
	return strings.NewReplacer(pairs...)
}

// configurations returns the parts of a file that can be configurations.
func configurations(text, extension string) (parts []string) {
	switch extension {
	case ".txtar":
		return regexp.MustCompile(`(?m)^-- .* --$`).Split(text, -1)
	case ".md":
		for _, m := range regexp.MustCompile("(?ms)^cat >syncd.yaml <<END\n(.*?)^END$|^```yaml\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
			parts = append(parts, m[1]+m[2])
		}
		return parts
	}
	var values struct {
		Config any `yaml:"config"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(text), &values, yaml.UseOrderedMap()); err == nil && values.Config != nil {
		inner, err := yaml.Marshal(values.Config)
		if err == nil {
			parts = append(parts, string(inner))
		}
	}
	return append(parts, text)
}

// betweenAccounts reports whether policies can be written for the configuration. For a custom
// endpoint this is not always possible, because its buckets can lack an account.
func betweenAccounts(c *config.Config) bool {
	return len(c.Mappings) > 0 && !slices.ContainsFunc(c.Mappings, func(m config.Mapping) bool {
		return len(m.Source.Account) != 12 || len(m.Destination.Account) != 12 || !strings.HasPrefix(m.Destination.KMSKey, "arn:")
	})
}

// TestGeneratedDocumentsOfExamplesHaveNoFindings checks that the documents written for every
// configuration in the repository have no findings.
func TestGeneratedDocumentsOfExamplesHaveNoFindings(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	all := examples(t)
	for _, must := range []string{
		"config/examples/minimal.yaml#0", "config/examples/chain.yaml#0", "deploy/ecs/syncd.yaml#0", "deploy/kubernetes/base/syncd.yaml#0",
		"deploy/helm/syncd/ci/minimal-values.yaml#0", "docs/getting-started.md#0", "cmd/syncd/testdata/script/policy.txtar#1",
	} {
		if all[must] == nil {
			t.Errorf("got no configuration in %s, want one", must)
		}
	}
	first := 0
	for name, c := range all {
		written := false
		first++
		for i, o := range generated() {
			if *mutants != "all" && (first+i)%3 != 0 {
				continue
			}
			written = checkGenerated(t, name, c, o) || written
		}
		if !written {
			t.Errorf("%s: got no documents, want some", name)
		}
		checkSessions(t, name, c)
	}
	t.Logf("%d configurations", len(all))
}

// TestGeneratedDocumentsOfAnyConfigurationHaveNoFindings checks that the documents written for
// random configurations have no findings.
func TestGeneratedDocumentsOfAnyConfigurationHaveNoFindings(t *testing.T) {
	options := generated()
	written, drawn := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		if *mutants != "all" && drawn == 30 {
			return
		}
		text := drawConfig(t)
		c, err := config.Parse([]byte(text), "drawn.yaml")
		if err != nil {
			t.Fatalf("draw a configuration: %v\n%s", err, text)
		}
		drawn++
		if checkGenerated(t, text, c, rapid.SampledFrom(options).Draw(t, "options")) {
			written++
		}
		checkSessions(t, text, c)
	})
	if written*2 < drawn {
		t.Errorf("got documents of %d configurations of %d, want those of most", written, drawn)
	}
}

// TestPlaceholdersAreReported checks documents written without ExternalIds: the only findings are
// those for the placeholders, one for each placeholder.
func TestPlaceholdersAreReported(t *testing.T) {
	for _, name := range []string{"chain", "share-role", "share-org", "two-roles"} {
		documents, err := policy.Documents(accesstest.Load(t, name), policy.Options{ExternalID: func(string) (string, error) { return secret.Placeholder, nil }})
		if err != nil {
			t.Fatal(err)
		}
		text, err := policy.JSONBundle(documents)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range check(t, document.File{Name: "policies.json", Data: text}).Findings {
			got = append(got, f.Name)
		}
		want := slices.Repeat([]string{"not-filled-in"}, strings.Count(string(text), `"`+secret.Placeholder+`"`))
		if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
