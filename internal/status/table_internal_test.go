package status

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/config/schedule"
	"syncd/internal/checkpoint/history"
	"syncd/internal/control"
)

// overviews returns mappings in every state, the best first.
func overviews(t *testing.T, now time.Time) []Overview {
	t.Helper()
	daily, err := schedule.Parse("@daily")
	if err != nil {
		t.Fatal(err)
	}
	at := func(ago time.Duration) *time.Time {
		when := now.Add(-ago)
		return &when
	}
	mapping := func(name string) config.Mapping { return config.Mapping{Name: name, Schedule: daily} }
	unscheduled := config.Mapping{Name: "by-hand"}
	paused := &control.Paused{Who: "alice@laptop", At: *at(24 * time.Hour)}
	denied := &passStatus{Number: 4, SavedAt: *at(time.Hour), Refused: &refusedStatus{Reason: "denied", Detail: "AccessDenied: no", Since: *at(72 * time.Hour)}}
	return []Overview{
		{mapping("fine"), Status{Generation: 12, CommittedAt: at(time.Minute), Entries: 1234567}},
		{unscheduled, Status{Generation: 1, CommittedAt: at(1000 * time.Hour), Entries: 3}},
		{mapping("long-pass"), Status{
			Generation: 2, CommittedAt: at(49 * time.Hour), Pass: &passStatus{Number: 3, SavedAt: *at(time.Minute)}, Lease: &leaseStatus{Holder: "host/1"},
		}},
		{mapping("new"), Status{}},
		{mapping("late"), Status{Generation: 2, CommittedAt: at(49 * time.Hour), Entries: 5}},
		{mapping("aside"), Status{Generation: 7, CommittedAt: at(3 * time.Hour), Entries: 10, Quarantined: map[string]int64{"denied": 2, "archived": 1}}},
		{mapping("failing"), Status{Generation: 4, CommittedAt: at(90 * time.Hour), Entries: 2, Quarantined: map[string]int64{"denied": 1}, Paused: paused, History: []history.Pass{
			{EndedAt: *at(time.Hour), Result: "drained", Trigger: "schedule"},
			{BeganAt: *at(70 * time.Hour), EndedAt: *at(2 * time.Hour), Result: "failed", Trigger: "schedule", Class: "no_bucket", Error: "NoSuchBucket: gone", Times: 12},
			{EndedAt: *at(90 * time.Hour), Result: "complete", Trigger: "schedule"},
		}}},
		{mapping("mended"), Status{Generation: 4, CommittedAt: at(time.Hour), Entries: 2, History: []history.Pass{
			{EndedAt: *at(2 * time.Hour), Result: "failed", Trigger: "schedule", Class: "no_bucket", Error: "NoSuchBucket: gone"},
		}}},
		{mapping("rests"), Status{Paused: paused}},
		{mapping("rests-aside"), Status{Generation: 1, CommittedAt: at(time.Hour), Entries: 1, Quarantined: map[string]int64{"denied": 1}, Paused: paused}},
		{mapping("refused"), Status{Generation: 3, CommittedAt: at(80 * time.Hour), Entries: 10, Pass: denied}},
		{mapping("broken"), Status{Damage: "manifest-3 is cut short"}},
		{mapping("gone"), Status{Error: "AccessDenied: not yours"}},
	}
}

func TestStatusOfManyIsWorstFirst(t *testing.T) {
	now := time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	printOverview(&out, overviews(t, now), now, 0)
	want := `MAPPING      STATE        AGE  GENERATION    ENTRIES  QUARANTINED  WHY
gone         unreadable     -           -          0            0  AccessDenied: not yours
broken       damaged        -           -          0            0  manifest-3 is cut short
refused      denied        3d           3         10            0  for 3d: AccessDenied: no
failing      failed        3d           4          2            1  paused; for 2d, 12 times: no_bucket: NoSuchBucket: gone
aside        quarantined   3h           7         10            3  archived 1, denied 2
rests-aside  quarantined   1h           1          1            1  paused; denied 1
late         stale         2d           2          5            0  a pass was due 36h ago
new          never          -           -          0            0
rests        paused         -           -          0            0  paused by alice@laptop since 2026-03-09T12:00:00Z
fine         ok            1m          12  1,234,567            0
by-hand      ok           41d           1          3            0
long-pass    ok            2d           2          0            0  pass 3 is running, saved 1m ago
mended       ok            1h           4          2            0
total                                      1,234,600            5
13 mappings: 1 unreadable, 1 damaged, 1 denied, 1 failed, 2 quarantined, 1 stale, 1 never, 1 paused, 4 ok
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTablesFitTheTerminal checks that tables fit by leaving out and cutting columns, and that
// names that differ only at their ends stay distinct.
func TestTablesFitTheTerminal(t *testing.T) {
	now := time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	all := overviews(t, now)
	for i := range all {
		all[i].Name = "a-tenant-of-a-platform-with-a-long-name-of-" + all[i].Name
	}
	for _, width := range []int{10, 20, 30, 40, 60, 80, 100, 160} {
		var out bytes.Buffer
		printOverview(&out, all, now, width)
		table, last, _ := strings.Cut(strings.TrimSuffix(out.String(), "\n"), "13 mappings: ")
		for line := range strings.Lines(table) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
				t.Errorf("in %d columns: got a line of %d:\n%s", width, n, line)
			}
		}
		if n := strings.Count(table, "\n"); n != 15 || last == "" {
			t.Errorf("in %d columns: got %d lines, want a title, 13 mappings and a total:\n%s", width, n, out.String())
		}
		if width >= 20 {
			for _, state := range statusOrder() {
				if !regexp.MustCompile(`(?m)^\S+ +` + state + `( |$)`).MatchString(table) {
					t.Errorf("in %d columns: got no complete %s:\n%s", width, state, table)
				}
			}
		}
		if width >= 40 && !regexp.MustCompile(`(?m)^a-ten\S*e-of-gone +unreadable`).MatchString(table) && !strings.Contains(table, "gone  unreadable") {
			t.Errorf("in %d columns: got no complete state after the end of the name:\n%s", width, table)
		}
	}
}
