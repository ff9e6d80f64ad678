package deploytest_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/policy"
)

// wantFormatted checks that a text is formatted as terraform fmt does.
func wantFormatted(t *testing.T, name string, text []byte) {
	t.Helper()
	if _, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos); diags.HasErrors() {
		t.Errorf("%s: %v", name, diags)
		return
	}
	if diff := gocmp.Diff(string(hclwrite.Format(text)), string(text)); diff != "" {
		t.Errorf("%s is not as terraform fmt writes it (-fmt +got):\n%s", name, diff)
	}
	// hclwrite keeps some blank lines that terraform fmt removes: at the start and end of a block,
	// and at the end of a file.
	for _, wrong := range []string{"{\n\n", "\n\n}", "\n\n\n"} {
		if bytes.Contains(text, []byte(wrong)) {
			t.Errorf("%s: got %q, want no blank lines there", name, wrong)
		}
	}
	if !bytes.HasSuffix(text, []byte("\n")) || bytes.HasSuffix(text, []byte("\n\n")) {
		t.Errorf("%s: got no line break, or more than one, at the end", name)
	}
}

// TestPoliciesInTerraformAreFormatted checks the policies of each example, for each side and in
// each style.
func TestPoliciesInTerraformAreFormatted(t *testing.T) {
	examples, err := filepath.Glob("../../config/examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("got examples %v, %v", examples, err)
	}
	written := 0
	for _, example := range examples {
		c, err := config.Load(example)
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []access.Side{access.Owner, access.Consumer, access.Both} {
			for _, style := range []policy.Style{policy.RoleStyle, policy.AccountStyle, policy.ABACStyle} {
				documents, err := policy.Documents(c, policy.Options{Side: side, Style: style, ExternalID: policy.ExternalIDVariable, OrgID: "o-a1b2c3d4e5"})
				if err != nil {
					continue // not every configuration supports every style
				}
				files, err := policy.Terraform(documents)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					written++
					wantFormatted(t, fmt.Sprintf("%s %s %s %s", filepath.Base(example), side, style, f.Name), f.Text)
				}
			}
		}
	}
	if written < 20 {
		t.Errorf("got %d files, want those of every example", written)
	}
}

// TestTerraformOfTheRepositoryIsFormatted checks the format of Terraform files and of the Terraform
// in documents.
func TestTerraformOfTheRepositoryIsFormatted(t *testing.T) {
	block := regexp.MustCompile("(?s)```(?:hcl|terraform|tf)\n(.*?)```")
	files, blocks := 0, 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." && path != "../.." {
			if err == nil {
				return fs.SkipDir
			}
			return err
		}
		isTerraform, isDocument := strings.HasSuffix(path, ".tf") || strings.HasSuffix(path, ".tfvars"), strings.HasSuffix(path, ".md")
		if entry.IsDir() || !isTerraform && !isDocument {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if isTerraform {
			files++
			wantFormatted(t, path, text)
			return nil
		}
		for _, match := range block.FindAllSubmatch(text, -1) {
			blocks++
			wantFormatted(t, path, match[1])
		}
		return nil
	})
	if err != nil || files < 10 || blocks == 0 {
		t.Errorf("got %d files and %d blocks, %v, want those of deploy/terraform and of the documents", files, blocks, err)
	}
}
