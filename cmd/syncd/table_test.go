package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/config/schedule"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/control"
	"syncd/internal/plan"
	"syncd/internal/syncer"
)

// overviews are mappings in every state, with the best first.
func overviews(t *testing.T, now time.Time) []overview {
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
	return []overview{
		{mapping("fine"), status{Generation: 12, CommittedAt: at(time.Minute), Entries: 1234567}},
		{unscheduled, status{Generation: 1, CommittedAt: at(1000 * time.Hour), Entries: 3}},
		{mapping("long-pass"), status{
			Generation: 2, CommittedAt: at(49 * time.Hour), Pass: &passStatus{Number: 3, SavedAt: *at(time.Minute)}, Lease: &leaseStatus{Holder: "host/1"},
		}},
		{mapping("new"), status{}},
		{mapping("late"), status{Generation: 2, CommittedAt: at(49 * time.Hour), Entries: 5}},
		{mapping("aside"), status{Generation: 7, CommittedAt: at(3 * time.Hour), Entries: 10, Quarantined: map[string]int64{"denied": 2, "archived": 1}}},
		{mapping("failing"), status{Generation: 4, CommittedAt: at(90 * time.Hour), Entries: 2, Quarantined: map[string]int64{"denied": 1}, Paused: paused, History: []checkpoint.PassRecord{
			{EndedAt: *at(time.Hour), Result: "drained", Trigger: "schedule"},
			{BeganAt: *at(70 * time.Hour), EndedAt: *at(2 * time.Hour), Result: "failed", Trigger: "schedule", Class: "no_bucket", Error: "NoSuchBucket: gone", Times: 12},
			{EndedAt: *at(90 * time.Hour), Result: "complete", Trigger: "schedule"},
		}}},
		{mapping("mended"), status{Generation: 4, CommittedAt: at(time.Hour), Entries: 2, History: []checkpoint.PassRecord{
			{EndedAt: *at(2 * time.Hour), Result: "failed", Trigger: "schedule", Class: "no_bucket", Error: "NoSuchBucket: gone"},
		}}},
		{mapping("rests"), status{Paused: paused}},
		{mapping("rests-aside"), status{Generation: 1, CommittedAt: at(time.Hour), Entries: 1, Quarantined: map[string]int64{"denied": 1}, Paused: paused}},
		{mapping("refused"), status{Generation: 3, CommittedAt: at(80 * time.Hour), Entries: 10, Pass: denied}},
		{mapping("broken"), status{Damage: "manifest-3 is cut short"}},
		{mapping("gone"), status{Error: "AccessDenied: not yours"}},
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

// TestTablesFitTheTerminal leaves out and cuts what does not fit, and keeps names apart that differ at their ends.
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
		if width >= 40 && !regexp.MustCompile(`(?m)^a-ten\S*e-of-gone +unreadable`).MatchString(table) && !strings.Contains(table, "gone  unreadable") {
			t.Errorf("in %d columns: got no whole state beside the end of the name:\n%s", width, table)
		}
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m", 59*time.Minute + 59*time.Second: "59m",
		time.Hour: "1h", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 1000 * time.Hour: "41d",
	} {
		if got := ago(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}

func TestPlansOfManyAreWorstFirst(t *testing.T) {
	v := func(name string, objects, bytes int64) syncer.Preview {
		p := syncer.Preview{Mapping: name, Generation: 3, Copy: syncer.Tally{Objects: objects, Bytes: bytes}, Held: map[string]int64{}, Refused: map[string]int64{}}
		if objects > 0 {
			p.CopyByReason = map[string]syncer.Tally{"changed": p.Copy}
		}
		p.Dollars.Total, p.Time = float64(objects), plan.Estimate{Seconds: float64(objects) * 60}
		return p
	}
	small, large, aside, rekey, damaged, first := v("small", 1, 10), v("large", 2, 1<<30), v("aside", 0, 0), v("rekey", 5, 5), v("damaged", 0, 0), v("first", 3, 3)
	aside.Held["archived"], rekey.Rekey, damaged.Damage, first.Generation = 4, "the key has changed", "manifest-3 is cut short", 0
	var out bytes.Buffer
	all := []planned{{v("failed", 0, 0), errors.New("no route to host")}}
	for _, p := range []syncer.Preview{v("fine", 0, 0), small, large, first, aside, rekey, damaged} {
		all = append(all, planned{p, nil})
	}
	printPlanned(&out, all, 0)
	want := `MAPPING  STATE        COPY    BYTES  ADOPT  QUARANTINED  DOLLARS   TIME  WHY
failed   failed          0      0 B      0            0       $0     0s  no route to host
damaged  damaged         0      0 B      0            0       $0     0s  manifest-3 is cut short
rekey    refused         5      5 B      0            0    $5.00   5m0s  the key has changed; --rekey allows it
aside    quarantined     0      0 B      0            4       $0     0s  archived 4
first    first           3      3 B      0            0    $3.00   3m0s  its first pass: changed 3 (3 B)
large    work            2  1.0 GiB      0            0    $2.00   2m0s  changed 2
small    work            1     10 B      0            0    $1.00   1m0s  changed 1
fine     ok              0      0 B      0            0       $0     0s
total                   11  1.0 GiB      0            4   $11.00  11m0s
8 mappings: 1 failed, 1 damaged, 1 refused, 1 quarantined, 1 first, 2 work, 1 ok
The time is that of one mapping after the other, as backfill does it. ` + "`syncd plan --mapping NAME` shows one in full.\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// severalSite has mappings a, b and c.
func severalSite(t *testing.T) *site {
	t.Helper()
	return newSite(t, func(text string) string {
		head, mapping, _ := strings.Cut(text, "  - name:")
		mapping = "  - name:" + mapping
		for _, name := range []string{"a", "b", "c"} {
			head += strings.NewReplacer("name: "+demoMapping, "name: "+name, "bucket: "+demoCopy, "bucket: "+demoCopy+", prefix: "+name+"/").Replace(mapping)
		}
		return head
	})
}

// TestOneUnreadableLedgerHidesNoOther shows it as a row, and ends with 1 after all are shown.
func TestOneUnreadableLedgerHidesNoOther(t *testing.T) {
	s := severalSite(t)
	for i := range 3 {
		s.source.Put(fmt.Sprintf("k%d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	heal := s.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "c/k1", Kind: awsfake.AccessDenied})
	if got := s.run(t.Context(), "backfill", "--mapping", "a", "--mapping", "c"); got.code != 3 {
		t.Fatalf("got exit %d; stderr:\n%s", got.code, got.stderr)
	}
	heal()
	table := s.run(t.Context(), "plan")
	if table.code != 0 || !regexp.MustCompile(`(?s)^MAPPING.*\nc +quarantined .*\nb +first +3 .*\na +ok .*\ntotal +3 .*\n3 mappings: `).MatchString(table.stdout) {
		t.Errorf("plan of all: got exit %d\n%s%s", table.code, table.stdout, table.stderr)
	}
	if got := s.run(t.Context(), "plan", "--list"); !strings.Contains(got.stdout, "b  copy        missing                  1  \"k0\"\n") {
		t.Errorf("plan --list of all: got\n%s", got.stdout)
	}
	if got := s.run(t.Context(), "plan", "--mapping", "b"); !strings.HasPrefix(got.stdout, "pass 1 of b would list 3 objects\n") {
		t.Errorf("plan of one: got\n%s", got.stdout)
	}
	if got := s.run(t.Context(), "plan", "--json"); strings.Count(got.stdout, "\n") != 1 || !strings.HasPrefix(got.stdout, `{"plans":[{"mapping":"a"`) {
		t.Errorf("plan --json of all: got\n%s", got.stdout)
	}

	manifests, err := filepath.Glob(filepath.Join(s.dir, "state", "a", "manifest-*"))
	if err != nil || len(manifests) == 0 {
		t.Fatalf("got manifests %v, %v", manifests, err)
	}
	for _, name := range manifests { // links to themselves cannot be read, which is no damage
		if err := errors.Join(os.Remove(name), os.Symlink(name, name)); err != nil {
			t.Fatal(err)
		}
	}
	got := s.run(t.Context(), "status")
	if got.code != 1 || !regexp.MustCompile(`(?s)^MAPPING.*\na +unreadable .*\nc +quarantined .*\nb +never .*\ntotal .*\n3 mappings: `).MatchString(got.stdout) ||
		!strings.Contains(got.stderr, "syncd: mapping a: ") {
		t.Errorf("status of all: got exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	got = s.run(t.Context(), "status", "--json")
	if lines := strings.Split(got.stdout, "\n"); got.code != 1 || len(lines) != 4 || !strings.Contains(lines[0], `"mapping":"a"`) || !strings.Contains(lines[0], `"error":"`) ||
		strings.Contains(lines[1]+lines[2], "error") {
		t.Errorf("status --json: got exit %d\n%s", got.code, got.stdout)
	}
	got = s.run(t.Context(), "status", "--quarantine")
	if got.code != 1 || !strings.HasPrefix(got.stdout, `c  denied  "k1"`) {
		t.Errorf("status --quarantine: got exit %d\n%s", got.code, got.stdout)
	}
	got = s.run(t.Context(), "status", "--mapping", "a")
	if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, "syncd: mapping a: ") {
		t.Errorf("status of the one: got exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// TestStatusStopsWhereTheStateCannotBeRead instead of failing for each mapping.
func TestStatusStopsWhereTheStateCannotBeRead(t *testing.T) {
	s := severalSite(t)
	text := regexp.MustCompile(`(?m)^state: .*$`).ReplaceAllString(string(readText(t, s.config)), "state: s3://no-such-bucket/syncd/")
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := s.run(t.Context(), "status")
	if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, "syncd: mapping a: ") || strings.Contains(got.stderr, "mapping b") ||
		!strings.Contains(got.stderr, "syncd: 2 mappings not read, because the state cannot be\n") {
		t.Errorf("got exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}
