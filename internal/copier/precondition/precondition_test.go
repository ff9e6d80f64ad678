package precondition_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/copier/precondition"
)

func no() bool { return false }

// TestOneProbes checks that one caller probes while other callers wait, if it is unknown whether a
// service honors conditions. If the probe is inconclusive, the next caller probes.
func TestOneProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := precondition.New(no)
		if mode, err := k.Of(t.Context(), "PutObject"); mode != precondition.Probing || err != nil {
			t.Fatalf("got %v, %v, want the first caller to probe", mode, err)
		}
		if mode, err := k.Of(t.Context(), "CopyObject"); mode != precondition.Probing || err != nil {
			t.Errorf("got %v, %v, want a separate probe for another kind of write", mode, err)
		}
		answers := make(chan precondition.Mode)
		for range 2 {
			go func() {
				mode, _ := k.Of(t.Context(), "PutObject")
				answers <- mode
			}()
		}
		synctest.Wait()
		select {
		case mode := <-answers:
			t.Fatalf("got %v during the probe, want the caller to wait", mode)
		default:
		}
		k.Learnt("PutObject", precondition.Unknown)
		if mode := <-answers; mode != precondition.Probing {
			t.Errorf("got %v after an inconclusive probe, want one caller to probe", mode)
		}
		k.Learnt("PutObject", precondition.Ignored)
		if mode := <-answers; mode != precondition.Ignored {
			t.Errorf("got %v, want the result of the probe", mode)
		}
		if k.IsSure("PutObject") || k.IsSure("CopyObject") {
			t.Error("got protected writes, want none if conditions are ignored or unknown")
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	k := precondition.New(no)
	if _, err := k.Of(t.Context(), "PutObject"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if mode, err := k.Of(ctx, "PutObject"); !errors.Is(err, context.Canceled) || mode != precondition.Unknown {
		t.Errorf("got %v, %v, want the error of the context", mode, err)
	}
}

// TestHonouredUnlessLearnt checks that New(nil) assumes that conditions are honored, so that the
// first write is not a probe.
func TestHonouredUnlessLearnt(t *testing.T) {
	k := precondition.New(nil)
	if mode, _ := k.Of(t.Context(), "PutObject"); mode != precondition.Honoured || !k.IsSure("PutObject") {
		t.Errorf("got %v, want conditions honored", mode)
	}
	k.Learnt("PutObject", precondition.Ignored)
	if mode, _ := k.Of(t.Context(), "PutObject"); mode != precondition.Ignored || k.IsSure("PutObject") {
		t.Errorf("got %v after Learnt, want ignored", mode)
	}
}

// TestDeniedMatchIsTriedAgain checks that If-Match is tried again after an hour, because the
// permission can be added while the process runs.
func TestDeniedMatchIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := precondition.New(nil)
		denied := errors.New("denied without a reason")
		if !k.MayBeForMatch(denied, "b") {
			t.Error("got false for a denial that If-Match may have caused")
		}
		k.Matched(false)
		time.Sleep(time.Hour - time.Second)
		if !k.IsMatchDenied() {
			t.Error("got If-Match allowed after less than an hour, want it denied")
		}
		time.Sleep(time.Second)
		if k.IsMatchDenied() {
			t.Error("got If-Match denied after an hour, want If-Match tried again")
		}
		k.Matched(true)
		if k.MayBeForMatch(denied, "b") {
			t.Error("got true for a denial after a write with If-Match was allowed")
		}
	})
}

func TestHeaders(t *testing.T) {
	for name, c := range map[string]precondition.Condition{"none": {}, "match": {Match: `"e"`}, "absent": {None: true}} {
		match, none := c.IfMatch(), c.IfNoneMatch()
		if (match != nil) != (name == "match") || (none != nil) != (name == "absent") || match != nil && *match != `"e"` || none != nil && *none != "*" {
			t.Errorf("%s: got If-Match %v and If-None-Match %v", name, match, none)
		}
	}
}
