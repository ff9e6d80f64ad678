package plan_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// moved is the change of prefix of these tests.
func moved(key string) (string, error) {
	if len(key) > 20 {
		return "", errors.New("too long there")
	}
	return "copy/" + strings.TrimPrefix(key, "data/"), nil
}

func TestBeside(t *testing.T) {
	old, fresh := object("copy/old", `"x"`, 1), object("copy/same", `"x"`, 1)
	old.LastModified = modified.Add(-time.Second)
	fresh.LastModified = modified.Add(time.Hour)
	source := sequence(nil, object("data/"+strings.Repeat("l", 20), "", 1), object("data/moved", "", 1), object("data/none", "", 1), object("data/old", "", 1),
		object("data/same", "", 1), object("data/size", "", 1), object("data/tie", "", 1), object("data/unchanged", "", 1))
	ledger := sequence(nil, entry("data/moved", ""), entry("data/unchanged", ""))
	destination := sequence(nil, object("copy/a", "", 1), object("copy/moved", "", 1), object("copy/nonesuch", "", 1), old, fresh,
		object("copy/size", "", 2), object("copy/tie", "", 1), object("copy/unchanged", "", 1), object("copy/z", "", 1))
	var present []string
	for a, err := range plan.Beside(plan.Diff(source, ledger, nil, plan.Rules{}), destination, moved) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Present != nil {
			present = append(present, a.Object.Key+" as "+a.Present.Key)
		}
	}
	want := []string{"data/same as copy/same", "data/tie as copy/tie"}
	if diff := gocmp.Diff(want, present); diff != "" {
		t.Errorf("present (-want +got):\n%s", diff)
	}
}

func TestBesideEndsWithTheDestinationsError(t *testing.T) {
	broken := errors.New("destination broke")
	actions := plan.Diff(sequence(nil, object("data/a", "", 1), object("data/b", "", 1)), sequence[checkpoint.Entry](nil), nil, plan.Rules{})
	got := render(plan.Beside(actions, sequence(broken, object("copy/a", "", 1)), moved))
	if diff := gocmp.Diff([]string{"copy missing data/a", "error destination broke"}, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	// Nobody looks at the destination before there is something to copy.
	var none []listing.Object
	early := errors.New("source broke")
	got = render(plan.Beside(plan.Diff(sequence(early, none...), sequence[checkpoint.Entry](nil), nil, plan.Rules{}), sequence(broken, none...), moved))
	if diff := gocmp.Diff([]string{"error source broke"}, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}
