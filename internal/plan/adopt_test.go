package plan_test

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// moved returns the destination key of a source key in these tests: the prefix data/ becomes copy/.
func moved(key string) (string, error) {
	if len(key) > 20 {
		return "", errors.New("too long there")
	}
	return "copy/" + strings.TrimPrefix(key, "data/"), nil
}

// there returns a destination with the given objects. Each listing of the destination appends to
// asked the key after which the listing starts.
func there(asked *[]string, err error, objects ...listing.Object) plan.Destination {
	return plan.Destination{
		KeyAt: moved, KeyOf: func(key string) string { return "data/" + strings.TrimPrefix(key, "copy/") }, Unknown: true, Hidden: func(error) bool { return false },
		List: func(after string) iter.Seq2[listing.Object, error] {
			*asked = append(*asked, after)
			var rest []listing.Object
			for _, o := range objects {
				if o.Key > after {
					rest = append(rest, o)
				}
			}
			return sequence(err, rest...)
		},
	}
}

// looks returns the object that LookUp found at the destination for each action.
func looks(t *testing.T, actions plan.Actions) (found []string) {
	t.Helper()
	for a, err := range actions {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case a.Present != nil:
			found = append(found, fmt.Sprintf("%s as %s", a.Object.Key, a.Present.Key))
		case a.Looked:
			found = append(found, a.Object.Key+" as nothing")
		}
	}
	return found
}

func TestBeside(t *testing.T) {
	source := func() iter.Seq2[listing.Object, error] {
		return sequence(nil, object("data/"+strings.Repeat("l", 20), "", 1), object("data/moved", "", 1), object("data/none", "", 1),
			object("data/same", "", 1), object("data/size", "", 1), object("data/unchanged", "", 1))
	}
	ledger := func() iter.Seq2[record.Entry, error] {
		return sequence(nil, entry("data/moved", `"old"`), entry("data/unchanged", ""))
	}
	objects := []listing.Object{
		object("copy/a", "", 1), object("copy/moved", "", 1), object("copy/nonesuch", "", 1), object("copy/same", "", 1),
		object("copy/size", "", 2), object("copy/unchanged", "", 1), object("copy/z", "", 1),
	}
	claimed := func(keys ...string) func(string) plan.Claimed {
		return func(key string) (c plan.Claimed) {
			for _, k := range keys {
				if k == key {
					c.Since = modified
				}
			}
			return c
		}
	}
	for _, tt := range []struct {
		name    string
		unknown bool
		rules   plan.Rules
		want    []string
		asked   []string
	}{
		{"empty ledger", true, plan.Rules{}, []string{"data/none as nothing", "data/same as copy/same", "data/size as copy/size"}, []string{"copy/moved"}},
		{"full ledger", false, plan.Rules{}, nil, nil},
		{
			"some is claimed", false,
			plan.Rules{Claimed: claimed("data/moved", "data/size", "data/unchanged"), OwnSince: 10},
			[]string{"data/moved as copy/moved", "data/size as copy/size", "data/unchanged as copy/unchanged"},
			[]string{""},
		},
		{
			"what the pass itself made is doubtful too: a later process of it may have replaced that", false,
			plan.Rules{Claimed: claimed("data/same", "data/unchanged"), OwnSince: 9},
			[]string{"data/same as copy/same", "data/unchanged as copy/unchanged"},
			[]string{"copy/none"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked []string
			d := there(&asked, nil, objects...)
			d.Unknown = tt.unknown
			found := looks(t, plan.LookUp(plan.Diff(source(), ledger(), nil, tt.rules), d))
			if diff := gocmp.Diff(tt.want, found); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(tt.asked, asked); diff != "" {
				t.Errorf("listed after (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBesideEndsWithTheDestinationsError(t *testing.T) {
	broken := errors.New("destination broke")
	source := func() plan.Actions {
		return plan.Diff(sequence(nil, object("data/a", "", 1), object("data/b", "", 1)), sequence[record.Entry](nil), nil, plan.Rules{})
	}
	var asked []string
	d := there(&asked, broken, object("copy/a", "", 1))
	if diff := gocmp.Diff([]string{"copy missing data/a", "error destination broke"}, render(plan.LookUp(source(), d))); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	// A destination that cannot be listed is not an error; LookUp then finds no objects.
	d.Hidden = func(err error) bool { return errors.Is(err, broken) }
	d.List = func(string) iter.Seq2[listing.Object, error] { return sequence[listing.Object](broken) }
	if found := looks(t, plan.LookUp(source(), d)); found != nil {
		t.Errorf("got %q from a destination that cannot be listed", found)
	}
	// The destination is not listed before the first copy action.
	var none []listing.Object
	early := errors.New("source broke")
	got := render(plan.LookUp(plan.Diff(sequence(early, none...), sequence[record.Entry](nil), nil, plan.Rules{}), there(&asked, broken)))
	if diff := gocmp.Diff([]string{"error source broke"}, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

// TestDiffOfClaimedKeys checks the actions for objects that an earlier process may have copied
// without recording them.
func TestDiffOfClaimedKeys(t *testing.T) {
	rules := plan.Rules{OwnSince: 10, Claimed: func(string) plan.Claimed { return plan.Claimed{Since: modified} }}
	own := entry("b", `"1"`)
	own.Pass = 10
	left, lost, denied := quarantined("d", `"1"`, "transient"), quarantined("e", `"1"`, "transient"), quarantined("f", `"1"`, "denied")
	left.DestinationETag, lost.WrittenSince = `"copy"`, setAsideAt
	actions := plan.Diff(
		sequence(nil, object("a", `"1"`, 1), object("b", `"1"`, 1), object("c", `"2"`, 1)),
		sequence(nil, entry("a", `"1"`), own, entry("c", `"1"`), entry("g", `"1"`)),
		sequence(nil, left, lost, denied), rules)
	var got []string
	for a, err := range actions {
		text := line(a, err)
		if a.Unsure {
			text += " unsure"
		}
		got = append(got, text)
	}
	want := []string{"copy unproven a", "copy unproven b", "copy changed c", "skip gone d unsure", "skip gone e unsure", "skip gone f", "skip gone g unsure"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	rules.Claimed = nil
	got = render(plan.Diff(sequence(nil, object("a", `"1"`, 1)), sequence(nil, entry("a", `"1"`), entry("g", `"1"`)), nil, rules))
	if diff := gocmp.Diff([]string{"skip unchanged a", "skip gone g"}, got); diff != "" {
		t.Errorf("plan without claims (-want +got):\n%s", diff)
	}
}
