package syncer

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/deadline"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer/planner"
)

// fixedPart is a part without objects whose end does not change.
type fixedPart listing.Range

func (p fixedPart) Range() listing.Range { return listing.Range(p) }
func (p fixedPart) Objects(context.Context) iter.Seq2[listing.Object, error] {
	return func(func(listing.Object, error) bool) {}
}

var _ planner.Part = fixedPart{}

// TestAClaimOutlivesThePartThatStartedIt lets a part start a claim in the background and end, while
// the store answers after 15 s. It checks that the claim, which covers the keys of all parts, does
// not fail, and that the other parts continue.
func TestAClaimOutlivesThePartThatStartedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		save := func(ctx context.Context, _ []record.Range, _ []string) error { // as saver.claim, with a slow store
			patient, giveUp := deadline.Outlive(ctx, saveTimeout)
			defer giveUp()
			select {
			case <-time.After(15 * time.Second):
				return nil
			case <-patient.Done():
				return patient.Err()
			}
		}
		all := &claims{save: save, walk: t.Context()}
		a, b := all.begin(fixedPart{Until: "m"}), all.begin(fixedPart{After: "m"})
		ofA, endA := context.WithCancel(t.Context())
		a.plan(plan.Action{Object: listing.Object{Key: "a"}})
		b.plan(plan.Action{Object: listing.Object{Key: "n"}})
		if err := a.ensure(ofA, "a"); err != nil { // claims in the foreground
			t.Fatal(err)
		}
		a.plan(plan.Action{Object: listing.Object{Key: "b"}}) // more is planned, so the next ensure claims it in the background
		a.reserve()
		if err := a.ensure(ofA, "a"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		a.end()
		endA() // as ranges.run.work does when the part was consumed
		time.Sleep(time.Minute)
		b.reserve()
		if err := b.ensure(t.Context(), "n"); err != nil {
			t.Errorf("part b: %v", err)
		}
		if err := all.wait(); err != nil {
			t.Errorf("the pass fails: %v", err)
		}
	})
}
