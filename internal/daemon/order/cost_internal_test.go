package order

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestCostOfLookingForRequests checks that the costs in the comment on LookEvery and in the
// documentation match the search interval and S3's list price.
func TestCostOfLookingForRequests(t *testing.T) {
	const dollarsPerThousand = 0.005
	listings := int(24 * time.Hour / LookEvery)
	dollars := float64(listings) / 1000 * dollarsPerThousand
	count := fmt.Sprintf("%d,%03d LIST requests a day", listings/1000, listings%1000)
	price := fmt.Sprintf("%.1f cents, or %.2f dollars in 30 days, at %.3f dollars per 1,000", 100*dollars, 30*dollars, dollarsPerThousand)
	checkSaid(t, "callers.go", count, price)
}

func checkSaid(t *testing.T, source string, texts ...string) {
	t.Helper()
	for _, name := range []string{source, "../../../docs/operations.md", "../../../CHANGELOG.md"} {
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
