package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/plan"
)

// TestQuarantineWaitsAreDocumented compares the table of docs/cli.md with the times at which a pass
// tries an object again.
func TestQuarantineWaitsAreDocumented(t *testing.T) {
	_, section, _ := strings.Cut(string(readText(t, "../../docs/cli.md")), "\n## Quarantine\n")
	section, _, _ = strings.Cut(section, "\n## ")
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	wait := func(cell string) time.Duration {
		m := regexp.MustCompile(`([0-9]+) (minute|hour|day)`).FindStringSubmatch(cell)
		if m == nil {
			return 0
		}
		n, _ := strconv.Atoi(m[1])
		return time.Duration(n) * units[m[2]]
	}
	rows := regexp.MustCompile("(?m)^\\| [^|`]* \\| (`[^|]*) \\| ([^|]*) \\| ([^|]*) \\|$").FindAllStringSubmatch(section, -1)
	documented := 0
	for _, row := range rows {
		for _, reason := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			documented++
			at := func(attempts int64) time.Duration {
				now := time.Unix(0, 0)
				return plan.RetryAt(record.Quarantined{Reason: reason[1], Attempts: attempts, LastAt: now}).Sub(now)
			}
			attempts := int64(1)
			if strings.HasPrefix(row[2], "none, then") {
				attempts = 2
			}
			if first, longest := at(attempts), at(1000); first != wait(row[2]) || longest != wait(row[3]) {
				t.Errorf("%s: got waits of %v to %v, want %s to %s", reason[1], first, longest, row[2], row[3])
			}
		}
	}
	if documented < 25 {
		t.Errorf("got %d reasons in the table, want all of them", documented)
	}
}
