package fault_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/config/fault"
	"syncd/internal/hint"
)

func TestReport(t *testing.T) {
	r := fault.NewReport("syncd.yaml")
	if got := r.Faults(); got != nil {
		t.Errorf("got %v, want no faults", got)
	}
	r.At("roles", 3)
	r.At("roles.reader", 4)
	r.At("roles.reader.arn", 5)
	r.AddErr("roles.reader.arn", hint.New("is no ARN", "use one"))
	r.AddErr("state", errors.New("is nowhere"))
	r.Add("roles.reader.tags.team", "is unknown", "")
	r.AddWarning("roles.reader.arn", "is odd", "look at it")
	for path, want := range map[string]bool{
		"roles": true, "roles.reader": true, "roles.reader.arn": true, "roles.reader.arn.x": true, "roles.reader.arns": false, "roles.reader.via": false, "stat": false,
	} {
		if got := r.Covers(path); got != want {
			t.Errorf("%s: got covered %v, want %v", path, got, want)
		}
	}
	want := "syncd.yaml:1: state: is nowhere\nsyncd.yaml:4: roles.reader.tags.team: is unknown\nsyncd.yaml:5: roles.reader.arn: is no ARN; use one"
	if diff := cmp.Diff(want, r.Faults().Error()); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if got, want := r.Warnings().Error(), "syncd.yaml:5: roles.reader.arn: is odd; look at it"; got != want {
		t.Errorf("got warnings %q, want %q", got, want)
	}
}

func TestReportEnds(t *testing.T) {
	r := fault.NewReport("syncd.yaml")
	for i := range 1000 {
		r.AddAt(i+1, "mappings"+strconv.Itoa(i), "is wrong", "")
		r.AddWarning("state", "is odd", "")
	}
	faults := *r.Faults()
	if !r.Full() || len(faults) != 101 || !strings.Contains(faults[100].String(), "syncd.yaml:100: there may be more faults") || len(r.Warnings()) != 100 {
		t.Errorf("got %d faults and %d warnings, want 100, and a last fault that reports the limit", len(faults), len(r.Warnings()))
	}
}

// TestReportHides checks that faults do not show hidden words, that a fault of a setting that
// contains a hidden word shows no part of the setting's value, and that long values are cut.
func TestReportHides(t *testing.T) {
	r := fault.NewReport("syncd.yaml")
	r.Hide("correct horse")
	r.Hide("ab")
	r.AddAt(1, "correct horse", `"correct horse" is no key, "ab" neither, and ab is left`, "use no correct horse")
	if got, want := r.Faults().Error(), `syncd.yaml:1: [redacted]: "[redacted]" is no key, "[redacted]" neither, and ab is left; use no [redacted]`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r = fault.NewReport("syncd.yaml")
	r.HideSetting("roles.r.arn")
	r.Add("roles.r.arn[0]", `"the value" is no ARN`, "")
	r.Add("state", `"a value" is nowhere`, "")
	r.AddWarning("roles.r.arn", "is odd", "")
	want := "syncd.yaml:1: roles.r.arn: is invalid, and is not shown because it contains a value that is set under external_id; use a value for external_id that appears nowhere else in the file\n" +
		`syncd.yaml:1: state: "..." is nowhere`
	if got := r.Faults().Error(); got != want || len(r.Warnings()) != 0 {
		t.Errorf("got %q and warnings %v, want %q", got, r.Warnings(), want)
	}
	r = fault.NewReport("syncd.yaml")
	r.Add("state", strconv.Quote(strings.Repeat("x", 1000)+`"`)+" is nowhere", "")
	if got := r.Faults().Error(); len(got) > 300 || !strings.HasSuffix(got, `x..." is nowhere`) {
		t.Errorf("got %q, want a short value", got)
	}
	if got, want := fault.WithoutQuoted(`"a \" b" is not "c`), `"..." is not "..."`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPaths(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{fault.Child("", "state"), "state"},
		{fault.Child("roles", "a_b-1"), "roles.a_b-1"},
		{fault.Child("roles", "a.b"), `roles["a.b"]`},
		{fault.Item("mappings", 2), "mappings[2]"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
