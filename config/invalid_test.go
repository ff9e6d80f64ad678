package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/config/fault"
)

var update = flag.Bool("update", false, "write what the tests get to their golden files")

func faultsOf(t *testing.T, path string) fault.Faults {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(data, filepath.Base(path))
	faults, ok := errors.AsType[*fault.Faults](err)
	if !ok {
		t.Fatalf("%s: got configuration %v and error %v, want faults", path, c, err)
	}
	return *faults
}

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

// TestInvalid checks that each invalid file has one fault. The golden file lists their messages.
func TestInvalid(t *testing.T) {
	paths, err := filepath.Glob("testdata/invalid-*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("got %d files, err %v", len(paths), err)
	}
	var got strings.Builder
	for _, path := range paths {
		faults := faultsOf(t, path)
		if len(faults) != 1 {
			t.Errorf("%s: got %d faults, want 1:\n%v", path, len(faults), faults)
		}
		got.WriteString(faults.Error() + "\n")
	}
	if strings.Contains(got.String(), "secret-word") || strings.Contains(got.String(), "4815162342") {
		t.Errorf("a fault quotes an external id or password:\n%s", got.String())
	}
	checkGolden(t, "testdata/invalid.golden", got.String())
}

func TestAllFaultsAtOnce(t *testing.T) {
	faults := faultsOf(t, "testdata/many-faults.yaml")
	for i := range faults[1:] {
		if faults[i].Line > faults[i+1].Line {
			t.Errorf("got line %d before line %d, want them in order", faults[i].Line, faults[i+1].Line)
		}
	}
	checkGolden(t, "testdata/many-faults.golden", faults.Error()+"\n")
}

// TestFaultLines checks the line numbers of faults after values that span several lines.
func TestFaultLines(t *testing.T) {
	for name, value := range map[string]string{
		"literal":       "|\n      one\n\n      two\n",
		"folded":        ">-\n      one\n      two\n",
		"double quoted": "\"one\n      two\n\n      three\"\n",
		"single quoted": "'one\n      two'\n",
		"plain":         "one\n      two\n",
		"flow":          "{a: b,\n      c: d}\n",
		"comments":      "one # two\n      # three\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			text := "roles:\n  r:\n    region: " + value + "    colour: red\n"
			want := strings.Count(text, "\n")
			_, err := config.Parse([]byte(text), "syncd.yaml")
			faults, _ := errors.AsType[*fault.Faults](err)
			i := slices.IndexFunc(*faults, func(f fault.Fault) bool { return f.Path == "roles.r.colour" })
			if i < 0 {
				t.Fatalf("got %v, want a fault of roles.r.colour", err)
			}
			if got := (*faults)[i].Line; got != want {
				t.Errorf("got line %d, want %d", got, want)
			}
		})
	}
}
