package daemon

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestCostOfReadingLedgers checks that the costs in the comment on recallEvery and in the
// documentation match the interval of readings without the lease and S3's list price.
func TestCostOfReadingLedgers(t *testing.T) {
	const perThousandLists, perThousandGets = 0.005, 0.0004
	readings := int(24 * time.Hour / recallEvery)
	dollars := float64(2*readings) / 1000 * (perThousandLists + perThousandGets)
	checkSaid(t, "recall.go", fmt.Sprintf("%d,%03d requests", 4*readings/1000, 4*readings%1000),
		fmt.Sprintf("%.2f cents, or %.2f dollars in 30 days, at %.3f dollars per 1,000 LISTs and %.4f per 1,000 GETs", 100*dollars, 30*dollars, perThousandLists, perThousandGets))
}

func checkSaid(t *testing.T, source string, texts ...string) {
	t.Helper()
	for _, name := range []string{source, "../../docs/operations.md", "../../CHANGELOG.md"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(strings.ReplaceAll(string(data), "\n\t// ", " ")), " ")
		for _, want := range texts {
			if got := strings.Count(text, want); got != 1 {
				t.Errorf("%s: got %q %d times, want it once", name, want, got)
			}
		}
	}
}
