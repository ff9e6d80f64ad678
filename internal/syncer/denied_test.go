package syncer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/iam"
	"syncd/internal/syncer"
	"syncd/internal/syncer/denial"
)

// deny sets a bucket policy that allows the consumer everything except the given actions on the
// given keys; "*" means all keys. The returned repair restores full access.
func (w *world) deny(b *awsfake.Bucket, keys string, actions ...string) (repair func()) {
	policy := func(more string) *iam.Document {
		return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},
			"Action":"s3:*","Resource":[%q,"%s/*"]}%s]}`, consumer, b.ARN(), b.ARN(), more))
	}
	b.SetPolicy(policy(fmt.Sprintf(`,{"Effect":"Deny","Principal":"*","Action":["%s"],"Resource":"%s/%s"}`, strings.Join(actions, `","`), b.ARN(), keys)))
	return func() { b.SetPolicy(policy("")) }
}

// allowing returns a key policy that allows the consumer only these actions.
func allowing(actions string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},
		"Action":[%s],"Resource":"*"}]}`, consumer, actions))
}

// fillFolders puts 300 objects of the given size, twenty below each of several prefixes.
func (w *world) fillFolders(size int64, seed uint64) {
	for i := range 300 {
		w.source.Put(fmt.Sprintf("d%02d/%s", i/20, name(i)), awsfake.SyntheticBody(size, seed), awsfake.PutOptions{})
	}
}

// refusals returns the ways in which everything can be refused, each with its error class and a
// func that repairs it.
func refusals() map[string]func(w *world) (class awserr.Class, repair func()) {
	return map[string]func(w *world) (awserr.Class, func()){
		"by the owner's policy": func(w *world) (awserr.Class, func()) {
			return awserr.Denied, w.deny(w.source, "*", "s3:GetObject")
		},
		"by the policy of the destination": func(w *world) (awserr.Class, func()) {
			return awserr.Denied, w.deny(w.destination, "*", "s3:PutObject")
		},
		"without a reason": func(w *world) (awserr.Class, func()) {
			return awserr.Denied, w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.AccessDenied})
		},
		"by a disabled key": func(w *world) (awserr.Class, func()) {
			w.key.SetEnabled(false)
			return awserr.KeyDisabled, func() { w.key.SetEnabled(true) }
		},
		"by the policy of the key of the copies": func(w *world) (awserr.Class, func()) {
			w.key.SetPolicy(allowing(`"kms:Decrypt","kms:DescribeKey"`))
			return awserr.Denied, func() { w.key.SetPolicy(allowing(`"kms:*"`)) }
		},
		"as wrongly signed": func(w *world) (awserr.Class, func()) {
			return awserr.Credentials, w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.BadSignature})
		},
	}
}

// total returns how many requests were sent since the request counts were reset.
func (w *world) total() (n int64) {
	for _, of := range w.cloud.Requests() {
		n += of
	}
	return n
}

// deniedPass is the result of a pass that ended because everything was refused.
type deniedPass struct {
	syncer.Summary
	cause *denial.Error
}

// refused runs a pass. It fails the test unless the pass ends because everything is refused. It
// also fails the test if the pass sends more requests than most.
func (w *world) refused(t *testing.T, s *syncer.Syncer, most int64) deniedPass {
	t.Helper()
	w.cloud.ResetRequests()
	got, err := s.Run(t.Context())
	refused, ok := errors.AsType[*denial.Error](err)
	if !ok || got.Result != "denied" || got.Exit != syncer.ExitFailed || got.SetAside() != 0 {
		t.Fatalf("got %v, %+v, want the pass to end as denied with nothing set aside", err, got)
	}
	if n := w.total(); n > most {
		t.Errorf("got %d requests, %v, want %d at most", n, w.cloud.Requests(), most)
	}
	return deniedPass{got, refused}
}

// TestEverythingIsRefused checks that passes in which everything is refused end soon with a single
// cause, and that everything is copied after the repair.
func TestEverythingIsRefused(t *testing.T) {
	skipIfShort(t)
	for name, arrange := range refusals() {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(500)
				class, repair := arrange(w)
				s := w.open(t)
				first := w.refused(t, s, 300).cause
				if got := awserr.Classify(first); got != class || first.InTurn < 32 || first.Elsewhere == 0 {
					t.Errorf("got class %q of %v, want %q after some objects here and elsewhere", got, first, class)
				}
				for range 3 {
					time.Sleep(time.Hour)
					got := w.refused(t, s, 50)
					if awserr.Classify(got.cause) != class || got.cause.Since.IsZero() || got.Generation != 0 {
						t.Errorf("got %v, %+v, want the same cause with the time of the first refusal, and no generation", got.cause, got)
					}
				}
				if n := w.value(t, `syncd_passes_total{mapping="m",result="denied"}`); n != 4 {
					t.Errorf("got %v denied passes counted, want 4", n)
				}
				if n := strings.Count(w.log.String(), "\n"); n != 4 {
					t.Errorf("got %d lines in the log, want one a pass:\n%s", n, w.log)
				}
				repair()
				if got := mustRun(t, s); got.Copied+got.Adopted != 500 || got.Exit != 0 {
					t.Errorf("after the repair: got %+v, want everything copied", got)
				}
				if diff := cmp.Diff(w.source.Keys(), w.destination.Keys()); diff != "" {
					t.Errorf("keys (-source +copy):\n%s", diff)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if n := len(w.quarantine(t)); n != 0 {
					t.Errorf("got %d objects set aside, want none", n)
				}
			})
		})
	}
}

// TestManyAreRefused checks, with as many objects as the flag -many sets, that passes in which
// everything is refused send few requests, log few lines and quarantine nothing.
func TestManyAreRefused(t *testing.T) {
	skipIfShort(t)
	n := 20_000
	if *many > 5000 {
		n = *many
	}
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range n {
			w.source.Put(fmt.Sprintf("dir%02d/k%07d", i*100/n, i), awsfake.SyntheticBody(1, 1), awsfake.PutOptions{})
		}
		w.cloud.SetLatency(10 * time.Millisecond)
		w.deny(w.source, "*", "s3:GetObject")
		s := w.open(t)
		w.refused(t, s, 300)
		for range 5 {
			time.Sleep(time.Hour)
			w.refused(t, s, 99)
		}
		if lines := strings.Count(w.log.String(), "\n"); lines >= 100 {
			t.Errorf("got %d lines in the log, want few", lines)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		names, err := w.options.Store.List(t.Context(), "")
		if err != nil || len(names) > 3 || len(w.quarantine(t)) != 0 {
			t.Errorf("got records %q, %v, want only the progress record and no quarantine row", names, err)
		}
	})
}

// TestRefusedMidway checks that a pass during which the policy changes keeps its progress, and that
// the next pass resumes it.
func TestRefusedMidway(t *testing.T) {
	skipIfShort(t)
	for name, arrange := range refusals() {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(500)
				w.cloud.SetLatency(10 * time.Millisecond)
				var repair func()
				w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Skip: 250, Times: 1, Do: func() { _, repair = arrange(w) }})
				s := w.open(t)
				first, err := s.Run(t.Context())
				if first.Result != "denied" || first.Copied < 240 || first.SetAside() != 0 || first.Generation != 0 {
					t.Fatalf("got %v, %+v, want half copied and the pass ended as denied", err, first)
				}
				w.refused(t, s, 50)
				repair()
				w.cloud.ResetRequests()
				second := mustRun(t, s)
				if second.Exit != 0 || !second.Resumed || w.copied() > 300 {
					t.Errorf("got %+v with %d copies, want the remaining objects copied and none twice", second, w.copied())
				}
				if diff := cmp.Diff(w.source.Keys(), w.destination.Keys()); diff != "" {
					t.Errorf("keys (-source +copy):\n%s", diff)
				}
			})
		})
	}
}

// TestAResumedPassIsRefused drains a pass halfway and then refuses everything. It checks that the
// resumed pass ends soon, and that the remaining objects are copied after the repair.
func TestAResumedPassIsRefused(t *testing.T) {
	skipIfShort(t)
	for name, arrange := range refusals() {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(500)
				w.cloud.SetLatency(10 * time.Millisecond)
				ctx, drain := context.WithCancel(t.Context())
				w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Skip: 250, Times: 1, Do: drain})
				s := w.open(t)
				if got, err := s.Run(ctx); !errors.Is(err, syncer.ErrDrained) || got.Copied < 240 {
					t.Fatalf("got %+v, %v, want it drained after half", got, err)
				}
				_, repair := arrange(w)
				w.refused(t, s, 150)
				repair()
				if got := mustRun(t, s); got.Exit != 0 {
					t.Errorf("got %+v, want the remaining objects copied", got)
				}
			})
		})
	}
}

// TestEverythingFails makes a service fail all copies from some moment on, with errors other than
// denials. It checks that the pass ends with the cause and quarantines nothing, and that the next
// pass resumes it.
func TestEverythingFails(t *testing.T) {
	for name, tt := range map[string]struct {
		kind   awsfake.FaultKind
		after  int // copies
		result string
		class  awserr.Class
	}{
		"not implemented":      {awsfake.NotImplemented, 0, "denied", awserr.Unsupported},
		"internal errors":      {awsfake.InternalError, 300, "failed", awserr.Transient},
		"throttled":            {awsfake.Throttle, 300, "failed", awserr.Throttled},
		"connections that end": {awsfake.Reset, 300, "failed", awserr.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(800)
				w.cloud.SetLatency(10 * time.Millisecond)
				var repair func()
				begin := func() { repair = w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: tt.kind}) }
				if tt.after == 0 {
					begin()
				} else {
					w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Skip: tt.after, Times: 1, Do: begin})
				}
				s := w.open(t)
				got, err := s.Run(t.Context())
				if got.Result != tt.result || got.Exit != syncer.ExitFailed || awserr.Classify(err) != tt.class || got.SetAside() != 0 || w.copied() > 500 {
					t.Errorf("got %+v, %v, %d copies tried, want the pass ended as %s with nothing set aside", got, err, w.copied(), tt.result)
				}
				repair()
				if got := mustRun(t, s); got.Exit != 0 || got.Resumed != (tt.after > 0) {
					t.Errorf("got %+v, want the remaining objects copied", got)
				}
				if diff := cmp.Diff(w.source.Keys(), w.destination.Keys()); diff != "" {
					t.Errorf("keys (-source +copy):\n%s", diff)
				}
			})
		})
	}
}

// TestSomeFailAgainAndAgain checks that objects in a range that fails with temporary errors are
// quarantined, and all other objects are copied.
func TestSomeFailAgainAndAgain(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(400)
		for i := range 200 {
			w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(i + 100), Kind: awsfake.InternalError})
		}
		if got := mustRun(t, w.open(t)); got.Copied != 200 || got.Quarantined["transient"] != 200 {
			t.Errorf("got %+v, want half copied and half set aside", got)
		}
	})
}

// TestRefusalKeepsTheLedger checks that the ledger keeps the entries of copies if all source
// objects change and none of them can be read any more.
func TestRefusalKeepsTheLedger(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(500)
		s := w.open(t)
		mustRun(t, s)
		time.Sleep(time.Minute)
		w.fill(500)
		repair := w.deny(w.source, "*", "s3:GetObject")
		got := w.refused(t, s, 200)
		if got.Generation != 1 {
			t.Errorf("got generation %d, want the one before", got.Generation)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if n := len(w.entries(t)); n != 500 {
			t.Errorf("got %d entries, want those of all copies", n)
		}
		progress, ok, err := record.Unfinished(t.Context(), w.options.Store, "m")
		if err != nil || !ok || progress.Refusal == nil || progress.Refusal.Reason != "denied" || !strings.Contains(progress.Refusal.Detail, "reading is refused too") {
			t.Errorf("got %+v, %v, want one record of the cause", progress, err)
		}
		repair()
		if got := mustRun(t, s); got.Copied != 500 || got.Exit != 0 {
			t.Errorf("got %+v, want the new versions copied", got)
		}
		if _, ok, _ := record.Unfinished(t.Context(), w.options.Store, "m"); ok {
			t.Error("the record of the cause still exists after a pass that reached its end")
		}
	})
}

// TestLargeCopiesAreAskedForAgain checks that a pass ends soon if all objects are large and changed
// and every write is denied, and that they are copied after the repair.
func TestLargeCopiesAreAskedForAgain(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fillFolders(100<<20, 1)
		s := w.open(t)
		mustRun(t, s)
		time.Sleep(time.Minute)
		w.fillFolders(100<<20, 2)
		repair := w.deny(w.destination, "*", "s3:PutObject")
		w.refused(t, s, 200)
		repair()
		if got := mustRun(t, s); got.Copied != 300 || got.Exit != 0 {
			t.Errorf("got %+v, want the new versions copied", got)
		}
	})
}

// TestPartsAreRefusedByTheKey checks that passes that copy objects in parts end soon if the key of
// the copies cannot be used to decrypt, which copies in parts also require.
func TestPartsAreRefusedByTheKey(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.copies.MultipartAbove, w.copies.PartSize = 5<<20, 5<<20
		w.fillFolders(11<<20, 1)
		w.key.SetPolicy(allowing(`"kms:GenerateDataKey","kms:DescribeKey"`))
		s := w.open(t)
		w.refused(t, s, 400)
		w.refused(t, s, 400)
		w.key.SetPolicy(allowing(`"kms:*"`))
		if got := mustRun(t, s); got.Copied != 300 || got.Exit != 0 {
			t.Errorf("got %+v, want all copied", got)
		}
	})
}

// TestPartsAreRefusedWithoutAReason checks that a pass ends soon if uploads can be started but all
// of their parts are denied.
func TestPartsAreRefusedWithoutAReason(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.copies.MultipartAbove, w.copies.PartSize = 5<<20, 5<<20
		w.fillFolders(11<<20, 1)
		repair := w.cloud.Inject(awsfake.Fault{Operation: "UploadPartCopy", Kind: awsfake.AccessDenied})
		s := w.open(t)
		w.refused(t, s, 400)
		repair()
		if got := mustRun(t, s); got.Copied != 300 || got.Exit != 0 {
			t.Errorf("got %+v, want all copied", got)
		}
	})
}

// TestItWalksAgain checks that, a day after passes began to end early, the next pass walks all
// objects, and copies those that are now allowed although the refused objects are still refused.
func TestItWalksAgain(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(200)
		w.deny(w.source, "*", "s3:GetObject")
		s := w.open(t)
		w.refused(t, s, 150)
		w.deny(w.source, "k?????", "s3:GetObject")
		for i := range 16 {
			w.put(fmt.Sprintf("k!%04d", i)) // the only new objects that a pass may retry; all are denied
		}
		for i := range 50 {
			w.put(fmt.Sprintf("k#%d", i))
		}
		time.Sleep(23 * time.Hour)
		w.refused(t, s, 50)
		time.Sleep(2 * time.Hour)
		if got := mustRun(t, s); got.Copied != 50 || got.Quarantined["denied"] != 216 {
			t.Errorf("got %+v, want the readable objects copied", got)
		}
	})
}

// TestRefusedReplay checks that a replay during which everything is still refused ends soon and
// keeps the quarantine. A replay that has copied an object must continue to its end, because no
// other pass would resume it.
func TestRefusedReplay(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 300 {
			w.put("a/" + name(i))
			w.put("z/" + name(i))
		}
		repair := w.deny(w.source, "z/*", "s3:GetObject")
		s := w.open(t)
		mustRun(t, s)
		w.cloud.ResetRequests()
		got, err := s.Replay(t.Context(), all)
		if _, ok := errors.AsType[*denial.Error](err); !ok || w.copied() > 60 {
			t.Errorf("got %+v, %v, %d copies tried, want the end after few copies", got, err, w.copied())
		}
		if n := w.quarantineOf(t); n != 300 {
			t.Errorf("got %d in quarantine, want all", n)
		}
		repair()
		w.deny(w.source, "z/k001*", "s3:GetObject")
		if got := replay(t, s, all); got.Copied != 200 || got.Quarantined["denied"] != 100 {
			t.Errorf("got %+v, want the readable objects copied and the other objects tried", got)
		}
		repair()
		if got := replay(t, s, all); got.Copied != 100 {
			t.Errorf("got %+v, want all copied", got)
		}
	})
}
