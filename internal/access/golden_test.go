package access_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"syncd/internal/access"
)

// policies are the documents of a way, as the example's head says to make them.
func policies(t *testing.T, w way, id func(string) (string, error)) []access.Document {
	t.Helper()
	o := w.options
	o.ExternalID = id
	documents, err := access.Policies(load(t, w.example), o)
	if err != nil {
		t.Fatal(err)
	}
	return documents
}

func TestPoliciesOfEachWay(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.example, func(t *testing.T) {
			documents := policies(t, w, externalID)
			bundle, err := access.JSONBundle(documents)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, *updatePolicies, filepath.Join("testdata/policies", w.example+".json"), bundle)
			again, err := access.JSONBundle(policies(t, w, externalID))
			if err != nil || !bytes.Equal(bundle, again) {
				t.Errorf("made again: got other documents, err %v", err)
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

// checkStored holds a document to what AWS stores.
func checkStored(t *testing.T, d access.Document) {
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
	for _, w := range ways() {
		if w.example != "share-role" && w.example != "share-abac" {
			continue
		}
		documents := policies(t, w, access.ExternalIDVariable)
		for name, format := range map[string]func([]access.Document) ([]access.Rendered, error){
			"terraform": access.Terraform, "cloudformation": access.CloudFormation,
		} {
			t.Run(w.example+"/"+name, func(t *testing.T) {
				files, err := format(documents)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					golden(t, *updatePolicies, filepath.Join("testdata/policies", w.example, name, f.Name), f.Text)
				}
			})
		}
	}
}

// What stands between jsonencode's brackets is the document again, once what opens a template is undone.
func TestTerraformCarriesTheDocuments(t *testing.T) {
	documents := policies(t, way{example: "share-abac", options: access.Options{Style: access.ABACStyle}}, access.ExternalIDVariable)
	files, err := access.Terraform(documents)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range files {
		text.Write(f.Text)
	}
	carried := map[string]bool{}
	for _, body := range encodedIn(text.String(), `"external-id-of:$1"`) {
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
			t.Errorf("%s: it is not in the files", d.Name)
		}
	}
}

// No ExternalId stands in the formats that have variables for it.
func TestVariablesStandForExternalIDs(t *testing.T) {
	documents := policies(t, ways()[2], access.ExternalIDVariable)
	for _, format := range []func([]access.Document) ([]access.Rendered, error){access.Terraform, access.CloudFormation} {
		files, err := format(documents)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%s", files)
		if strings.Contains(text, "external-id-of:") {
			t.Errorf("got a mark that no variable replaced: %s", text)
		}
	}
}
