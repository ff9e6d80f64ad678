package usage

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilled(t *testing.T) {
	text := "one two three four\nfive\n\nsix\n\nExit codes:\n  0    done, and a line that is indented stays\nseven"
	want := "one two\nthree four\nfive\n\nsix\n\nExit codes:\n  0    done, and a line that is indented stays\nseven"
	if diff := cmp.Diff(want, filled(text, 10)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
