package web

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"syncd/internal/daemon/status"
	"syncd/internal/printable"
	"syncd/internal/transfer"
)

func comma(n any) string {
	switch n := n.(type) {
	case int:
		return humanize.Comma(int64(n))
	case int64:
		return humanize.Comma(n)
	case *int64:
		return humanize.Comma(*n)
	}
	panic(fmt.Sprintf("BUG: no number of things: %T", n))
}

// stateText returns the display name of a state.
func stateText(s status.State) string {
	switch s {
	case status.Running:
		return "pass running"
	case status.Queued:
		return "pass queued"
	case status.StandingBy:
		return "standing by"
	case status.Unscheduled:
		return "no schedule"
	case status.Idle, status.Failing, status.Stalled, status.Quarantined, status.Unknown, status.Draining, status.Paused, status.Waiting:
	}
	return string(s)
}

// doingText returns what a mapping is doing, or "" if its state already says that.
func doingText(m status.Mapping, now time.Time) string {
	pass := "pass"
	if m.State == status.Failing {
		pass = "retry"
	}
	switch m.Activity {
	case m.State:
		return ""
	case status.Waiting:
		if m.NextPass == nil {
			return ""
		}
		return "next " + pass + " " + at(*m.NextPass, now)
	case status.Running, status.Queued, status.Stalled, status.Draining:
		return pass + " " + string(m.Activity)
	case status.StandingBy, status.Paused, status.Unscheduled, status.Idle, status.Failing, status.Quarantined, status.Unknown:
	}
	return stateText(m.Activity)
}

// sideText returns the display form of the place of one side.
func sideText(s status.Side) string { return printable.Text(s.String()) }

// methodText returns how objects are copied.
func methodText(method transfer.Method) string {
	switch method {
	case transfer.ServerSide:
		return "copied server-side by S3"
	case transfer.Relay:
		return "streamed through this process"
	case transfer.Auto:
	}
	return string(method)
}

// titleText returns the title of the page. It counts the failing and stalled mappings, so that they
// are visible in a browser tab.
func titleText(counts map[status.State]int) string {
	var parts []string
	for _, state := range []status.State{status.Failing, status.Stalled} {
		if n := counts[state]; n > 0 {
			parts = append(parts, comma(n)+" "+string(state))
		}
	}
	return strings.Join(append(parts, "syncd status"), " · ")
}

// count is the number of mappings in a state.
type count struct {
	State status.State
	N     int
}

// namedAtOnce is how many failing mappings the summary names.
const namedAtOnce = 3

// summaryText returns one or two lines about which mappings need attention. sorted has all
// mappings, most urgent first.
func summaryText(sorted []status.Mapping, byState []count) string {
	var parts []string
	fine := len(sorted)
	for _, c := range byState {
		one, many := "", ""
		switch c.State {
		case status.Failing:
			one, many = "mapping is failing", "mappings are failing"
		case status.Stalled:
			one, many = "is stalled", "are stalled"
		case status.Quarantined:
			one, many = "has objects in quarantine", "have objects in quarantine"
		case status.Unknown:
			one, many = "has never been fully listed, so its state is unknown", "have never been fully listed, so their state is unknown"
		case status.Idle, status.Draining, status.StandingBy, status.Paused, status.Unscheduled, status.Running, status.Queued, status.Waiting:
			continue
		}
		text := comma(c.N) + " " + many
		if c.N == 1 {
			text = "1 " + one
		}
		if c.State == status.Failing {
			text += ": " + namesText(sorted[:c.N])
		}
		parts, fine = append(parts, text+"."), fine-c.N
	}
	switch {
	case len(parts) == 0:
		parts = []string{"No mapping needs attention."}
	case fine == 1:
		parts = append(parts, "1 needs no attention.")
	case fine > 1:
		parts = append(parts, comma(fine)+" need no attention.")
	}
	return strings.Join(parts, " ")
}

func namesText(mappings []status.Mapping) string {
	var names []string
	for i, m := range mappings {
		if i == namedAtOnce {
			return strings.Join(names, ", ") + " and " + comma(len(mappings)-i) + " more"
		}
		names = append(names, m.Mapping)
	}
	return strings.Join(names, ", ")
}

// asideText returns the number of objects in quarantine.
func asideText(m status.Mapping) string {
	if m.Quarantine == nil {
		return "unknown"
	}
	return comma(total(m.Quarantine))
}

// oldestText returns the age of the oldest change that was not copied.
func oldestText(m status.Mapping) string {
	switch {
	case m.OldestUnsyncedSeconds == nil:
		return "unknown"
	case *m.OldestUnsyncedSeconds == 0:
		return "none"
	default:
		return about(*m.OldestUnsyncedSeconds)
	}
}

// ledgerText returns the size of the ledger's last generation.
func ledgerText(m status.Mapping) string {
	switch {
	case m.Generation == nil || m.Entries == nil:
		return "unknown"
	case *m.Generation == 0:
		return "none yet"
	default:
		return comma(*m.Entries) + " entries, generation " + strconv.FormatInt(*m.Generation, 10)
	}
}

// processedText returns how many of the expected objects a pass has processed.
func processedText(p *status.Progress) string {
	switch {
	case p.Expected == 0 && !p.ListedAll:
		return "nothing listed yet"
	case p.ListedAll:
		return comma(p.Settled) + " of " + comma(p.Expected) + " objects processed"
	default:
		return comma(p.Settled) + " of at least " + comma(p.Expected) + " objects processed"
	}
}

// lastPassText returns the result of the last pass.
func lastPassText(p *status.LastPass) string {
	switch {
	case p == nil:
		return "none in this process"
	case p.Pass == 0:
		return p.Result + " before it began"
	}
	text := p.Result + " in " + took(p.Seconds) + ": " + comma(p.Listed) + " listed, " + comma(p.Copied) + " copied"
	if p.Deleted > 0 {
		text += ", " + comma(p.Deleted) + " deleted"
	}
	return text
}

// backlogText returns what was listed and must still be copied.
func backlogText(m status.Mapping) string {
	if m.BacklogObjects == nil || m.BacklogBytes == nil {
		return "unknown"
	}
	return comma(*m.BacklogObjects) + " objects, " + size(*m.BacklogBytes)
}

// nextText returns when the next pass is due.
func nextText(m status.Mapping, now time.Time) string {
	switch {
	case m.Line != nil:
		return "number " + comma(m.Line.Position) + " in line"
	case m.Activity == status.Queued:
		return "due"
	case m.NextPass != nil:
		return at(*m.NextPass, now)
	case m.Activity == status.Running, m.Activity == status.Stalled, m.Activity == status.Draining:
		return "running"
	case m.Schedule == "":
		return "on request"
	default:
		return "–"
	}
}

func total(counts map[string]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

func reasons(counts map[string]int64) []string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, reason+" "+humanize.Comma(counts[reason]))
	}
	return parts
}

func size(bytes int64) string { return humanize.IBytes(uint64(max(bytes, 0))) } //nolint:gosec // never negative

// rate formats a number per second with about three digits.
func rate(perSecond float64) string {
	switch {
	case perSecond >= 100:
		return humanize.Comma(int64(perSecond + 0.5))
	case perSecond >= 10:
		return strconv.FormatFloat(perSecond, 'f', 0, 64)
	default:
		return strconv.FormatFloat(perSecond, 'f', 1, 64)
	}
}

// took formats a number of seconds.
func took(seconds float64) string { return span(time.Duration(seconds * float64(time.Second))) }

// about formats a number of seconds with its largest unit.
func about(seconds float64) string {
	n, unit, _ := strings.Cut(took(seconds), " ")
	unit, _, _ = strings.Cut(unit, " ")
	return n + " " + unit
}

// until formats the time from now to at, or returns "now" if at is in the past or less than a
// second away.
func until(at, now time.Time) string {
	if left := at.Sub(now); left >= time.Second {
		return "in " + span(left)
	}
	return "now"
}

// span formats a duration with its two largest units.
func span(d time.Duration) string {
	d = max(d, 0)
	days, hours, minutes, seconds := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min %d s", minutes, seconds)
	default:
		return fmt.Sprintf("%d s", seconds)
	}
}

// at formats a time within the next days, to the minute.
func at(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("at 15:04 UTC")
	}
	return t.Format("on Jan 2 at 15:04 UTC")
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// stamp formats a time for the datetime attribute.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
