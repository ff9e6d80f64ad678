package plan_test

import (
	"errors"
	"iter"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// TestDiffOfAPart checks that rows of the ledger after the end of a part are ignored, and that the
// end counts as it is after the listing.
func TestDiffOfAPart(t *testing.T) {
	broken := errors.New("listing broke")
	for _, tt := range []struct {
		name   string
		listed []string
		broken error
		until  []string // during the listing, and after it
		want   []string
	}{
		{"the last key is inclusive", []string{"c"}, nil, []string{"e", "e"}, []string{"skip gone b", "skip unchanged c", "skip gone d", "skip gone e"}},
		{"the end decreases during the listing", []string{"c"}, nil, []string{"e", "d"}, []string{"skip gone b", "skip unchanged c", "skip gone d"}},
		{"the end is the last listed key", []string{"c"}, nil, []string{"", "c"}, []string{"skip gone b", "skip unchanged c"}},
		{"no end", []string{"c"}, nil, []string{"", ""}, []string{"skip gone b", "skip unchanged c", "skip gone d", "skip gone e", "skip gone f"}},
		{"nothing is listed", nil, nil, []string{"", "bb"}, []string{"skip gone b"}},
		{"nothing is in the part", nil, nil, []string{"", "aa"}, nil},
		{"a listing that breaks off makes nothing gone", []string{"c"}, broken, []string{"e", "e"}, []string{"skip gone b", "skip unchanged c", "error listing broke"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			until := tt.until[0]
			source := func(yield func(listing.Object, error) bool) {
				sequence(tt.broken, keyed(tt.listed)...)(yield)
				until = tt.until[1]
			}
			rules := plan.Rules{Part: plan.Part{After: "a", Until: func() string { return until }}}
			aside := sequence(nil, quarantined("d", "", "denied"), quarantined("f", "", "denied"))
			got := render(plan.Diff(source, entries([]string{"b", "c", "e"}), aside, rules))
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func keyed(keys []string) (all []listing.Object) {
	for _, key := range keys {
		all = append(all, object(key, "", 1))
	}
	return all
}

// TestInheritOfAPart checks that only the inherited entries of the part are read and get actions.
func TestInheritOfAPart(t *testing.T) {
	part := plan.Part{After: "b", Until: func() string { return "e" }}
	rules := plan.Rules{Part: part}
	var asked, read []string
	inherited := func(after string) iter.Seq2[record.Entry, error] {
		asked = append(asked, after)
		return func(yield func(record.Entry, error) bool) {
			for _, key := range []string{"c", "d", "e", "f", "g"} {
				read = append(read, key)
				if !yield(entry(key, ""), nil) {
					return
				}
			}
		}
	}
	got := render(plan.Inherit(plan.Diff(objects([]string{"d"}), nil, nil, rules), part, inherited))
	if diff := gocmp.Diff([]string{"skip gone c", "copy missing d", "skip gone e"}, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"b"}, asked); diff != "" {
		t.Errorf("entries asked for after (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"c", "d", "e", "f"}, read); diff != "" {
		t.Errorf("entries read (-want +got):\n%s", diff)
	}
}

// TestLookUpOfAPart checks after which key the destination is listed for a part, and how far the
// listing is read. The source has the objects data/d, data/f,
// data/h and data/j, and the ledger has data/f. The destination has copies from a to i.
func TestLookUpOfAPart(t *testing.T) {
	type bounds [2]string // the key before the first, and the last key
	for _, tt := range []struct {
		name    string
		part    bounds
		unknown bool
		claims  *bounds // source keys, by their last letters
		want    []string
		asked   []string
		read    string
	}{
		{"nothing is claimed", bounds{}, false, nil, []string{"copy missing data/d", "skip unchanged data/f", "copy missing data/h", "copy missing data/j"}, nil, ""},
		{"claims before the part", bounds{"data/c", "data/g"}, false, &bounds{"a", "c"}, []string{"copy missing data/d", "skip unchanged data/f"}, nil, ""},
		{"claims after the part", bounds{"data/c", "data/g"}, false, &bounds{"g", "i"}, []string{"copy missing data/d", "skip unchanged data/f"}, nil, ""},
		{
			"claims in the part",
			bounds{"data/c", "data/g"},
			false, &bounds{"d", "e"},
			[]string{"copy missing data/d", "skip gone data/e", "skip unchanged data/f"},
			[]string{"copy/d"},
			"efg",
		},
		{
			"claims over the start of the part",
			bounds{"data/c", "data/g"},
			false, &bounds{"a", "d"},
			[]string{"copy missing data/d", "skip unchanged data/f"},
			[]string{"copy/c"},
			"de",
		},
		{
			"claims over the end of the part",
			bounds{"data/c", "data/g"},
			false, &bounds{"f", ""},
			[]string{"copy missing data/d", "skip unchanged data/f", "skip gone data/g"},
			[]string{"copy/f"},
			"gh",
		},
		{
			"claims after the last object, over the end of the part",
			bounds{"data/c", "data/f"},
			false, &bounds{"d", ""},
			[]string{"copy missing data/d", "skip gone data/e", "copy unproven data/f"},
			[]string{"copy/d"},
			"efg",
		},
		{"a claim of the last key only, which was listed", bounds{"data/c", "data/d"}, false, &bounds{"d", ""}, []string{"copy missing data/d"}, nil, ""},
		{
			"claims before the first object",
			bounds{"", "data/g"},
			false, &bounds{"a", "b"},
			[]string{"skip gone data/b", "copy missing data/d", "skip unchanged data/f"},
			[]string{"copy/a"},
			"bc",
		},
		{"claims in a part without objects", bounds{"data/a", "data/c"}, false, &bounds{"b", ""}, []string{"skip gone data/c"}, []string{"copy/b"}, "cd"},
		{"claims after all keys", bounds{"data/j", ""}, false, &bounds{"b", ""}, nil, []string{"copy/j"}, "zd"},
		{
			"an empty ledger",
			bounds{"data/c", "data/g"},
			true, nil,
			[]string{"copy missing data/d", "skip unchanged data/f"},
			[]string{"copy/c"},
			"de",
		},
		{"an empty ledger, and nothing to look up", bounds{"data/d", "data/g"}, true, nil, []string{"skip unchanged data/f"}, nil, ""},
		{
			"an empty ledger, and one key to look up",
			bounds{"data/d", "data/i"},
			true, nil,
			[]string{"skip unchanged data/f", "copy missing data/h"},
			[]string{"copy/f"},
			"ghi",
		},
		{"an empty ledger, and a key after all copies", bounds{"data/i", ""}, true, nil, []string{"copy missing data/j"}, []string{"copy/i"}, "z"},
		{
			"an empty ledger, and claims after the part",
			bounds{"data/c", "data/g"},
			true, &bounds{"g", ""},
			[]string{"copy missing data/d", "skip unchanged data/f"},
			[]string{"copy/c"},
			"de",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{source: keyed([]string{"data/d", "data/f", "data/h", "data/j"}), entries: []record.Entry{entry("data/f", "")}, isUnknown: tt.unknown}
			for _, letter := range "abcdefghi" {
				w.destination = append(w.destination, object("copy/"+string(letter), "", 1))
			}
			w.destination = append(w.destination, object("copz", "", 1), object("d", "", 1))
			w.rules.Claimed = w.claimed
			if tt.claims != nil {
				w.hasClaims, w.claims.After = true, "data/"+tt.claims[0]
				if tt.claims[1] != "" {
					w.claims.Until = "data/" + tt.claims[1]
				}
			}
			p := &partOf{after: tt.part[0], until: tt.part[1]}
			if diff := gocmp.Diff(tt.want, render(w.lookUp(p))); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			var read string
			for _, key := range p.read {
				read += key[len(key)-1:]
			}
			if diff := gocmp.Diff(tt.asked, p.asked); diff != "" || read != tt.read {
				t.Errorf("got last letters %q read, want %q; listed after (-want +got):\n%s", read, tt.read, diff)
			}
		})
	}
}

// TestActionForgets checks which actions only remove a quarantine row: that of an object that is
// gone, without a copy that the mapping knows or may have made.
func TestActionForgets(t *testing.T) {
	written := quarantined("e", "", "denied")
	written.WrittenSince = setAsideAt
	aside := sequence(nil, quarantined("a", "", "denied"), quarantined("b", "", "denied"), quarantined("c", "", "denied"), quarantined("d", "", "denied"), written)
	var forgets []string
	actions := plan.Diff(objects([]string{"b"}), sequence(nil, entry("c", ""), older("f", movedAt-1)), aside, plan.Rules{PlaceSince: movedAt})
	inherited := func(string) iter.Seq2[record.Entry, error] { return sequence(nil, entry("d", "")) }
	for a, err := range plan.Inherit(actions, plan.Part{}, inherited) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Forgets() {
			forgets = append(forgets, a.Object.Key)
		}
	}
	if diff := gocmp.Diff([]string{"a"}, forgets); diff != "" {
		t.Errorf("actions that forget (-want +got):\n%s", diff)
	}
}
