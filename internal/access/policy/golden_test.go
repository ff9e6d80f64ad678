package policy_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/policy"
)

var update = flag.Bool("update", false, "write the results to testdata/policies")

// policies returns the documents of a way of sharing, as the comment at the top of its example
// configuration describes.
func policies(t *testing.T, w accesstest.Way, id func(string) (string, error)) []policy.Document {
	t.Helper()
	o := w.Options
	o.ExternalID = id
	documents, err := policy.Documents(accesstest.Load(t, w.Example), o)
	if err != nil {
		t.Fatal(err)
	}
	return documents
}

func TestPoliciesOfEachWay(t *testing.T) {
	for _, w := range accesstest.Ways() {
		t.Run(w.Example, func(t *testing.T) {
			documents := policies(t, w, accesstest.ExternalID)
			bundle, err := policy.JSONBundle(documents)
			if err != nil {
				t.Fatal(err)
			}
			accesstest.Golden(t, *update, filepath.Join("testdata/policies", w.Example+".json"), bundle)
			again, err := policy.JSONBundle(policies(t, w, accesstest.ExternalID))
			if err != nil || !bytes.Equal(bundle, again) {
				t.Errorf("second run: got different documents, err %v", err)
			}
			for _, d := range documents {
				if d.Kind == access.KindLifecycle {
					continue
				}
				checkStored(t, d)
			}
		})
	}
}

// checkStored checks that AWS would accept a document.
func checkStored(t *testing.T, d policy.Document) {
	t.Helper()
	text, err := d.Body.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	policy, err := iamParse(text)
	if err == nil {
		err = policy.CheckKind(resourceKind(d.Kind))
	}
	if err != nil {
		t.Errorf("%s: %v", d.Name, err)
	}
}

func TestFormats(t *testing.T) {
	for _, w := range accesstest.Ways() {
		if w.Example != "share-role" && w.Example != "share-abac" {
			continue
		}
		documents := policies(t, w, policy.ExternalIDVariable)
		for name, format := range map[string]func([]policy.Document) ([]policy.Rendered, error){
			"terraform": policy.Terraform, "cloudformation": policy.CloudFormation,
		} {
			t.Run(w.Example+"/"+name, func(t *testing.T) {
				files, err := format(documents)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					accesstest.Golden(t, *update, filepath.Join("testdata/policies", w.Example, name, f.Name), f.Text)
				}
			})
		}
	}
}

// TestTerraformCarriesTheDocuments undoes the escapes for Terraform's templates in the arguments of
// jsonencode, and checks that the results are the documents.
func TestTerraformCarriesTheDocuments(t *testing.T) {
	documents := policies(t, accesstest.Way{Example: "share-abac", Options: policy.Options{Style: policy.ABACStyle}}, policy.ExternalIDVariable)
	files, err := policy.Terraform(documents)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range files {
		text.Write(f.Text)
	}
	carried := map[string]bool{}
	for _, body := range accesstest.EncodedIn(text.String(), `"external-id-of:$1"`) {
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(body)); err != nil {
			t.Fatalf("read %s: %v", body, err)
		}
		carried[compact.String()] = true
	}
	for _, d := range documents {
		want, err := d.Body.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if d.Kind != access.KindLifecycle && !carried[string(want)] {
			t.Errorf("%s: not found in the files", d.Name)
		}
	}
}

// TestVariablesStandForExternalIDs checks that the Terraform and CloudFormation files contain
// variables in place of ExternalIds.
func TestVariablesStandForExternalIDs(t *testing.T) {
	documents := policies(t, accesstest.Ways()[2], policy.ExternalIDVariable)
	for _, format := range []func([]policy.Document) ([]policy.Rendered, error){policy.Terraform, policy.CloudFormation} {
		files, err := format(documents)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%s", files)
		if strings.Contains(text, "external-id-of:") {
			t.Errorf("got a mark without a variable: %s", text)
		}
	}
}
