package plan_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

var setAsideAt = modified.Add(time.Hour)

// quarantined returns a quarantine row for an object of size 1 after one attempt. It has the same
// pass number as current entries.
func quarantined(key, etag, reason string) record.Quarantined {
	return record.Quarantined{
		Key: key, Source: transfer.Version{ETag: etag, Size: 1, LastModified: modified}, Reason: reason,
		FirstAt: setAsideAt, LastAt: setAsideAt, Attempts: 1, Pass: 9,
	}
}

// waits contains the waiting times after the first, second, fifth and hundredth attempt.
type waits [4]time.Duration

// schedule returns the waiting times for every reason.
func schedule() map[string]waits {
	const (
		m   = time.Minute
		h   = time.Hour
		day = 24 * h
	)
	atOnce, mended, unclear := waits{}, waits{5 * m, 10 * m, 80 * m, 6 * h}, waits{0, m, 8 * m, 6 * h}
	configured, owner, lasting := waits{h, 2 * h, 16 * h, day}, waits{6 * h, 12 * h, 96 * h, 7 * day}, waits{day, 2 * day, 16 * day, 30 * day}
	return map[string]waits{
		"throttled": atOnce, "throttled_kms": atOnce, "transient": atOnce, "changed": atOnce, "conflict": atOnce,
		"canceled": atOnce, "gone": atOnce, "expired": atOnce, "credentials": unclear, "no_bucket": unclear, "wrong_region": unclear,
		"denied": mended, "key_disabled": mended, "no_key": mended, "no_etag": mended, "inconsistent": mended,
		"foreign": configured, "wrong_key": configured, "checksum": configured, "tag_overflow": configured, "unsupported": configured,
		"invalid": configured, "hidden_metadata": configured, "signature": configured,
		"archived": owner, "sse_c": owner,
		"too_large": lasting, "key_unrepresentable": lasting, "object_locked": lasting,
		"unknown": unclear, "internal": unclear,
	}
}

func TestRetryAt(t *testing.T) {
	all := schedule()
	all["a reason of a later version"] = all["unknown"]
	for reason, want := range all {
		var got waits
		for i, attempts := range []int64{1, 2, 5, 100} {
			q := quarantined("a", `"1"`, reason)
			q.Attempts = attempts
			got[i] = plan.RetryAt(q).Sub(setAsideAt)
		}
		if got != want {
			t.Errorf("%s: got %v, want %v after 1, 2, 5 and 100 attempts", reason, got, want)
		}
	}
	unheard := quarantined("a", `"1"`, "denied")
	unheard.Attempts = 0
	if got := plan.RetryAt(unheard).Sub(setAsideAt); got != 5*time.Minute {
		t.Errorf("without an attempt: got %s, want the wait after one", got)
	}
}

// TestEveryReasonHasARow checks that schedule has every reason. It reads the reasons from their
// declarations, so that a new reason cannot be missed.
func TestEveryReasonHasARow(t *testing.T) {
	rows := schedule()
	words := append(constants(t, "quarantine.go"), constants(t, "../awserr/class.go")...)
	if len(words) < 20 {
		t.Fatalf("found the reasons %q, want more", words)
	}
	for _, word := range words {
		if _, ok := rows[word]; !ok {
			t.Errorf("reason %q has no row in the schedule of this test", word)
		}
	}
	if len(rows) != len(words) {
		t.Errorf("got %d rows for %d reasons, want one each", len(rows), len(words))
	}
}

// constants returns the exported string constants in a file.
func constants(t *testing.T, path string) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !spec.Names[0].IsExported() {
			return true
		}
		if text, ok := spec.Values[0].(*ast.BasicLit); ok && text.Kind == token.STRING {
			value, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		return true
	})
	return values
}

func TestDiffHoldsWhatIsNotDue(t *testing.T) {
	due := setAsideAt.Add(5 * time.Minute) // after one denial
	larger, again := object("a", `"2"`, 2), object("a", `"2"`, 1)
	again.LastModified = modified.Add(time.Second)
	excluded := plan.Filter{Exclude: []plan.Pattern{suffix("a")}}
	earlier := quarantined("a", `"2"`, "denied")
	earlier.Pass = classAt - 1
	forced := func(q record.Quarantined) bool { return q.Reason == "denied" }
	aside := quarantined("a", `"2"`, "denied")
	tests := []struct {
		name   string
		object listing.Object
		aside  record.Quarantined
		rules  plan.Rules
		want   string
	}{
		{"not due", object("a", `"2"`, 1), aside, plan.Rules{Now: due.Add(-1)}, "skip held a"},
		{"due", object("a", `"2"`, 1), aside, plan.Rules{Now: due}, "copy changed a"},
		{"without a time", object("a", `"2"`, 1), aside, plan.Rules{}, "copy changed a"},
		{"another version", object("a", `"3"`, 1), aside, plan.Rules{Now: setAsideAt}, "copy changed a"},
		{"the same bytes written again", again, aside, plan.Rules{Now: setAsideAt}, "copy changed a"},
		{"another size", larger, aside, plan.Rules{Now: setAsideAt}, "copy changed a"},
		{"forced", object("a", `"2"`, 1), aside, plan.Rules{Now: setAsideAt, Retry: forced}, "copy changed a"},
		{"another is forced", object("a", `"2"`, 1), quarantined("a", `"2"`, "sse_c"), plan.Rules{Now: setAsideAt, Retry: forced}, "skip held a"},
		{"due at once", object("a", `"2"`, 1), quarantined("a", `"2"`, "throttled"), plan.Rules{Now: setAsideAt}, "copy changed a"},
		{"the filter has the last word", object("a", `"2"`, 1), aside, plan.Rules{Now: setAsideAt, Filter: excluded}, "skip excluded a"},
		{"changed back to what was copied", object("a", `"1"`, 1), aside, plan.Rules{Now: setAsideAt}, "skip unchanged a"},
		{"under another storage class", object("a", `"2"`, 1), earlier, plan.Rules{Now: setAsideAt, ClassSince: classAt}, "copy changed a"},
		{"before the mapping moved", object("a", `"2"`, 1), earlier, plan.Rules{Now: setAsideAt, PlaceSince: classAt}, "copy changed a"},
		{"since the settings of today", object("a", `"2"`, 1), aside, plan.Rules{Now: setAsideAt, ClassSince: 9, PlaceSince: 9}, "skip held a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for a, err := range plan.Diff(sequence(nil, tt.object), sequence(nil, entry("a", `"1"`)), sequence(nil, tt.aside), tt.rules) {
				if got := line(a, err); got != tt.want || !a.Listed() || a.Holds() != (a.Reason == plan.Held) {
					t.Errorf("got %q, listed %t, holds %t, want %q, listed", got, a.Listed(), a.Holds(), tt.want)
				}
				if a.Previous == nil || gocmp.Diff(&tt.aside, a.SetAside) != "" {
					t.Errorf("got previous %v and %v set aside, want both", a.Previous, a.SetAside)
				}
			}
		})
	}
}

// TestDiffOfOnlyQuarantine checks that objects in quarantine that are gone from the source get an
// action, whether or not they were ever copied, so that their rows are removed.
func TestDiffOfOnlyQuarantine(t *testing.T) {
	broken := errors.New("quarantine broke")
	source := sequence(nil, object("b", `"1"`, 1), object("d", `"1"`, 1))
	aside := func(err error) iter.Seq2[record.Quarantined, error] {
		return sequence(err, quarantined("a", `"1"`, "denied"), quarantined("b", `"1"`, "denied"), quarantined("c", `"1"`, "denied"))
	}
	for _, tt := range []struct {
		name       string
		ledger     iter.Seq2[record.Entry, error]
		quarantine iter.Seq2[record.Quarantined, error]
		want       []string
	}{
		{"no entries", sequence[record.Entry](nil), aside(nil), []string{"skip gone a", "skip held b", "skip gone c", "copy missing d"}},
		{
			"copied before and gone", sequence(nil, entry("a", `"0"`), entry("c", `"0"`), entry("e", `"0"`)), aside(nil),
			[]string{"skip gone a", "skip held b", "skip gone c", "copy missing d", "skip gone e"},
		},
		{
			"a quarantine that breaks off makes nothing due", sequence[record.Entry](nil), aside(broken),
			[]string{"skip gone a", "skip held b", "skip gone c", "error quarantine broke"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := render(plan.Diff(source, tt.ledger, tt.quarantine, plan.Rules{Now: setAsideAt}))
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}
