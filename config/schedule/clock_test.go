package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones must not depend on the machine

	"github.com/google/go-cmp/cmp"

	"syncd/config/schedule"
)

func parseSchedule(t *testing.T, text string) schedule.Schedule {
	t.Helper()
	s, err := schedule.Parse(text)
	if err != nil {
		t.Fatalf("ParseSchedule(%q): %v", text, err)
	}
	return s
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestScheduleWhereClocksChange checks what docs/operations.md states about times that daylight
// saving skips or repeats.
func TestScheduleWhereClocksChange(t *testing.T) {
	tests := []struct {
		name, schedule, from string
		want                 []string // in the schedule's zone
	}{
		{
			"a skipped time starts at the end of the gap", "CRON_TZ=Europe/Berlin 30 2 * * *", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		},
		{
			"all skipped times start one pass", "CRON_TZ=Europe/Berlin */10 2 * * *", "2026-03-29T00:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"},
		},
		{
			"a skipped time and the end of the gap are one", "CRON_TZ=Europe/Berlin 0 2,3 * * *", "2026-03-29T00:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"},
		},
		{
			"a time shown twice starts the first time", "CRON_TZ=Europe/Berlin 30 2 * * *", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		},
		{
			"the second time is skipped when asked in between", "CRON_TZ=Europe/Berlin 30 2 * * *", "2026-10-25T00:45:00Z",
			[]string{"2026-10-26T02:30:00+01:00"},
		},
		{
			"each quarter of an hour, also in the repeated one", "CRON_TZ=Europe/Berlin */15 * * * *", "2026-10-25T00:30:00Z",
			[]string{
				"2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:15:00+01:00", "2026-10-25T02:30:00+01:00",
				"2026-10-25T02:45:00+01:00", "2026-10-25T03:00:00+01:00",
			},
		},
		{
			"each hour, without another at the end of the gap", "CRON_TZ=Europe/Berlin 30 * * * *", "2026-03-29T00:00:00Z",
			[]string{"2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"},
		},
		{
			"half an hour is skipped", "CRON_TZ=Australia/Lord_Howe 10 2 * * *", "2026-10-03T00:00:00Z",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:10:00+11:00"},
		},
		{
			"midnight is skipped", "CRON_TZ=Africa/Cairo @daily", "2026-04-23T00:00:00Z",
			[]string{"2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"},
		},
		{
			"midnight is shown twice", "CRON_TZ=America/Havana @daily", "2026-10-31T12:00:00Z",
			[]string{"2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00"},
		},
		{
			"the hour before midnight is shown twice", "CRON_TZ=Asia/Beirut 30 23 * * *", "2026-10-24T12:00:00Z",
			[]string{"2026-10-24T23:30:00+03:00", "2026-10-25T23:30:00+02:00"},
		},
		{
			"a day is skipped", "CRON_TZ=Pacific/Apia 0 3 * * *", "2011-12-29T00:00:00-10:00",
			[]string{"2011-12-29T03:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T03:00:00+14:00"},
		},
		{
			"UTC changes nothing", "30 2 * * *", "2026-03-28T12:00:00Z", []string{"2026-03-29T02:30:00Z", "2026-03-30T02:30:00Z"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, in := parseSchedule(t, tt.schedule), time.UTC
			if name, ok := strings.CutPrefix(strings.Fields(tt.schedule)[0], "CRON_TZ="); ok {
				in = zone(t, name)
			}
			at, err := time.Parse(time.RFC3339, tt.from)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for range tt.want {
				at = s.Next(at)
				got = append(got, at.In(in).Format(time.RFC3339))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("starts after %s (-want +got):\n%s", tt.from, diff)
			}
		})
	}
}

// oddZones returns zones whose clocks changed by an amount other than an hour, at midnight, by a
// whole day, or several times in a short period.
func oddZones() []string {
	return []string{
		"Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Caracas", "America/Havana", "America/Sao_Paulo",
		"America/Scoresbysund", "America/St_Johns", "Antarctica/Casey", "Antarctica/Troll", "Asia/Amman", "Asia/Beirut", "Asia/Gaza",
		"Asia/Kathmandu", "Asia/Pyongyang", "Asia/Tehran", "Australia/Lord_Howe", "Europe/Berlin", "Europe/Dublin", "Europe/London",
		"Europe/Moscow", "Pacific/Apia", "Pacific/Chatham", "Pacific/Enderbury", "Pacific/Fakaofo", "Pacific/Kwajalein", "Pacific/Norfolk",
	}
}

// TestScheduleAgainstClocks checks that schedules agree with a minute-by-minute simulation of
// clocks around their changes.
func TestScheduleAgainstClocks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range oddZones() {
		changes := changesOf(zone(t, name), random)
		if len(changes) == 0 {
			t.Errorf("%s: no changes", name)
		}
		for _, change := range changes {
			from, to := change.Add(-4*24*time.Hour), change.Add(4*24*time.Hour)
			for range 4 {
				compareWithClock(t, drawExpression(random), name, from, to)
			}
		}
	}
}

// changesOf returns a few of the times, to the minute, at which the clocks of a zone changed since
// 1972.
func changesOf(z *time.Location, random *rand.Rand) (changes []time.Time) {
	for at := time.Date(1972, 6, 1, 0, 0, 0, 0, z); at.Year() < 2037; {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.Year() > 2037 {
			break
		}
		changes = append(changes, end.UTC())
		at = end.In(z)
	}
	random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	return changes[:min(len(changes), 3)]
}

// expression is a cron expression and its parsed fields.
type expression struct {
	text               string
	minutes, hours     []int
	months             []int // nil for each
	weekdays, monthday []int // nil for each; if both are set, a day of either matches
}

func drawExpression(random *rand.Rand) expression {
	draw := func(least, most, n int) (list []int) {
		for range n {
			list = append(list, least+random.IntN(most-least+1))
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	e := expression{minutes: draw(0, 59, 1+random.IntN(3)), hours: draw(0, 23, 1+random.IntN(6))}
	if random.IntN(2) == 0 {
		e.minutes = []int{0, 30}
	}
	if random.IntN(2) == 0 { // hours at which most clocks change
		e.hours = [][]int{{0}, {2}, {0, 1, 2, 3}, {23}, {1, 23}}[random.IntN(5)]
	}
	if random.IntN(4) == 0 {
		e.hours = draw(0, 23, 500)
	}
	if random.IntN(4) == 0 {
		e.weekdays = draw(0, 6, 3)
	}
	if random.IntN(4) == 0 {
		e.monthday = draw(1, 31, 12)
	}
	list := func(numbers []int) string {
		if numbers == nil {
			return "*"
		}
		return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ","), "[]")
	}
	e.text = fmt.Sprintf("%s %s %s %s %s", list(e.minutes), list(e.hours), list(e.monthday), list(e.months), list(e.weekdays))
	return e
}

// wants reports whether the expression matches a time shown by a clock.
func (e expression) wants(shown time.Time) bool {
	of := func(list []int, n int) bool { return list == nil || slices.Contains(list, n) }
	day := of(e.weekdays, int(shown.Weekday())) && of(e.monthday, shown.Day())
	if e.weekdays != nil && e.monthday != nil {
		day = of(e.weekdays, int(shown.Weekday())) || of(e.monthday, shown.Day())
	}
	return day && of(e.minutes, shown.Minute()) && of(e.hours, shown.Hour())
}

// watchClock simulates a clock minute by minute and returns the starts between from and to. A time
// that was already shown or skipped does not start again, unless the expression matches every hour.
func watchClock(e expression, z *time.Location, from, to time.Time) (starts []time.Time) {
	shownAt := func(t time.Time) time.Time {
		t = t.In(z)
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
	}
	done := map[time.Time]bool{}
	before := shownAt(from.Add(-3 * 24 * time.Hour))
	for at := from.Add(-3 * 24 * time.Hour); at.Before(to); at = at.Add(time.Minute) {
		shown, due := shownAt(at), false
		if len(e.hours) == 24 {
			due = e.wants(shown)
		} else {
			for skipped := before.Add(time.Minute); skipped.Before(shown); skipped = skipped.Add(time.Minute) {
				due = due || e.wants(skipped) && !done[skipped]
				done[skipped] = true
			}
			due = due || e.wants(shown) && !done[shown]
			done[shown] = true
		}
		if due && at.After(from) {
			starts = append(starts, at)
		}
		before = shown
	}
	return starts
}

func compareWithClock(t *testing.T, e expression, name string, from, to time.Time) {
	t.Helper()
	s := parseSchedule(t, "CRON_TZ="+name+" "+e.text)
	want := watchClock(e, zone(t, name), from, to)
	var got []time.Time
	for at := s.Next(from); at.Before(to) && !at.IsZero(); at = s.Next(at) {
		got = append(got, at.UTC())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s %s from %s (-clock +schedule):\n%s", name, e.text, from.Format(time.RFC3339), diff)
	}
	// The next start depends only on the given time, not on earlier calls.
	for at := from; at.Before(to.Add(-2 * 24 * time.Hour)); at = at.Add(97*time.Minute + 11*time.Second) {
		i := slices.IndexFunc(want, func(start time.Time) bool { return start.After(at) })
		if i >= 0 && !s.Next(at).Equal(want[i]) {
			t.Fatalf("%s %s after %s: got %s, want %s", name, e.text, at.Format(time.RFC3339), s.Next(at), want[i])
		}
	}
}
