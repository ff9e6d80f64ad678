package awsname_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsname"
)

var update = flag.Bool("update", false, "write what the tests get to their golden files")

func checkGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update accepts):\n%s", path, diff)
	}
}

// TestRegionsAreTheSDKs checks that regions.txt is the same as the table that it generates from the
// SDK's table.
func TestRegionsAreTheSDKs(t *testing.T) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "internal/endpoints/awsrulesfn/partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Partitions []struct {
			ID      string                     `json:"id"`
			Form    string                     `json:"regionRegex"`
			Regions map[string]json.RawMessage `json:"regions"`
			Outputs struct {
				Domain string `json:"dnsSuffix"`
			} `json:"outputs"`
		} `json:"partitions"`
	}
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	var partitions []string
	for _, p := range table.Partitions {
		partitions = append(partitions, p.ID)
		var names []string
		for name := range p.Regions {
			if strings.HasSuffix(name, "-global") {
				continue
			}
			names = append(names, name)
			if got := awsname.Partition(name); got != p.ID {
				t.Errorf("%s: got partition %s, want %s", name, got, p.ID)
			}
			if got := awsname.Domain(name); got != p.Outputs.Domain {
				t.Errorf("%s: got domain %s, want %s", name, got, p.Outputs.Domain)
			}
		}
		slices.Sort(names)
		fmt.Fprintln(&lines, p.ID, p.Form, strings.Join(names, " "))
	}
	checkGolden(t, "regions.txt", lines.String())
	if got := slices.Sorted(slices.Values(awsname.Partitions())); !slices.Equal(got, slices.Sorted(slices.Values(partitions))) {
		t.Errorf("got partitions %q, want %q", got, partitions)
	}
}

func TestRegions(t *testing.T) {
	known := awsname.KnownRegions()
	for _, tt := range []struct {
		text       string
		has, isNew bool
		meant      string
		form       bool
	}{
		{"us-west-2", true, true, "us-west-2", true},
		{"us-wst-2", false, false, "us-west-2", true},
		{"US_West_2", false, false, "us-west-2", false},
		{"us-west-9", false, true, "us-west-1", true},
		{"Oregon", false, false, "", false},
		{"us--2", false, false, "", false},
	} {
		if got := known.Has(tt.text); got != tt.has {
			t.Errorf("%s: got known %v, want %v", tt.text, got, tt.has)
		}
		if got := known.MayBeNew(tt.text); got != tt.isNew {
			t.Errorf("%s: got new %v, want %v", tt.text, got, tt.isNew)
		}
		if got := awsname.IsRegion(tt.text); got != tt.form {
			t.Errorf("%s: got the form of a region %v", tt.text, got)
		}
		if got := known.Meant(tt.text); got != tt.meant {
			t.Errorf("%s: got meant %q, want %q", tt.text, got, tt.meant)
		}
	}
}
