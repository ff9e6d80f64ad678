package creds_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"syncd/config"
	"syncd/config/value"
	"syncd/internal/awserr"
	"syncd/internal/awsfake"
)

func TestOneSessionForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.SetLatency(time.Second)
		set := w.open(t)
		first, second := w.client(t, set, "syncd"), w.client(t, set, "syncd")
		if n := len(w.cloud.Requests()); n != 0 {
			t.Errorf("got %d kinds of requests before any use, want none", n)
		}
		for range 2 {
			err := inParallel(50, func() error { return errors.Join(list(t.Context(), first), list(t.Context(), second)) })
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := w.assumed(); n != 1 {
			t.Errorf("got %d calls of AssumeRole for 200 requests, want 1", n)
		}
	})
}

// TestSessionIsRenewedAheadOfItsEnd checks when a role is assumed again while its session is used
// for a day.
func TestSessionIsRenewedAheadOfItsEnd(t *testing.T) {
	for _, tt := range []struct{ length, earliest, latest time.Duration }{
		{time.Hour, 50 * time.Minute, 56 * time.Minute},
		{15 * time.Minute, 11 * time.Minute, 13*time.Minute + 30*time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.set("syncd", func(r *config.Role) { r.Duration = value.Duration(tt.length) })
			var times []time.Time
			w.cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Do: func() { times = append(times, time.Now()) }})
			client := w.client(t, w.open(t), "syncd")
			const step = 30 * time.Second
			for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); time.Sleep(step) {
				if err := list(t.Context(), client); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(times); n < int(24*time.Hour/tt.latest) {
				t.Errorf("sessions of %s: got %d in a day", tt.length, n)
			}
			for i := range len(times) - 1 {
				if used := times[i+1].Sub(times[i]); used < tt.earliest || used > tt.latest+step {
					t.Errorf("session of %s: used for %s, want %s to %s", tt.length, used, tt.earliest, tt.latest)
				}
			}
			if sent, want := w.cloud.Requests()["ListObjectsV2"], int64(24*time.Hour/step); sent != want {
				t.Errorf("got %d requests to S3, want %d: none with an expired session", sent, want)
			}
		})
	}
}

// TestSessionIsKeptWhileItLives checks that a session is used until it expires if STS fails in the
// meantime, and that a new one is used after STS recovers.
func TestSessionIsKeptWhileItLives(t *testing.T) {
	for _, kind := range []awsfake.FaultKind{awsfake.InternalError, awsfake.AccessDenied, awsfake.Reset, awsfake.Timeout, awsfake.Throttle} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			client := w.client(t, w.open(t), "syncd")
			begun := time.Now()
			if err := list(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			restore := w.cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Kind: kind})
			for ; time.Since(begun) < 58*time.Minute; time.Sleep(10 * time.Second) {
				if err := list(t.Context(), client); err != nil {
					t.Fatalf("fault %v: got %v after %s, while the session is valid", kind, err, time.Since(begun))
				}
			}
			// Renewals start after 50 minutes at the earliest; each has up to 8 attempts, with 30 s
			// between two renewals.
			if n := w.assumed(); n < 2 || n > 1+8*(8*2+1) {
				t.Errorf("fault %v: got %d calls of AssumeRole while the session lived", kind, n)
			}
			time.Sleep(3 * time.Minute)
			if err := list(t.Context(), client); awserr.Classify(err) != awserr.Credentials {
				t.Errorf("fault %v: got %v after the session expired, want class %q", kind, err, awserr.Credentials)
			}
			restore()
			if err := list(t.Context(), client); err != nil {
				t.Errorf("fault %v: got %v when STS was back", kind, err)
			}
		})
	}
}

// TestExpiredSessionIsRenewedOnce checks that a session that expires early is renewed once.
func TestExpiredSessionIsRenewedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		client := w.client(t, w.open(t), "syncd")
		if err := list(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.role.Revoke()
		if err := list(t.Context(), client); err != nil {
			t.Errorf("got %v, want the session renewed and the request repeated", err)
		}
		if got := w.cloud.Requests(); got["AssumeRole"] != 2 || got["ListObjectsV2"] != 3 {
			t.Errorf("got requests %v, want the role assumed twice and one request repeated", got)
		}
	})
}

// TestExpiredSessionOfMany checks that a session that expires while many requests use it is renewed
// only a few times.
func TestExpiredSessionOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		client := w.client(t, w.open(t), "syncd")
		if err := list(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.role.Revoke()
		w.cloud.SetLatency(100 * time.Millisecond)
		if err := inParallel(200, func() error { return list(t.Context(), client) }); err != nil {
			t.Error(err)
		}
		if n := w.assumed(); n > 3 {
			t.Errorf("got %d calls of AssumeRole, want few for 200 requests that failed", n)
		}
	})
}

// TestExpiredForGood checks that the error is fatal after one new session if S3 rejects every
// session as expired.
func TestExpiredForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		client := w.client(t, w.open(t), "syncd")
		if err := list(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.cloud.ResetRequests()
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.ExpiredToken})
		err := list(t.Context(), client)
		if awserr.Classify(err) != awserr.Expired || !awserr.Fatal(err) {
			t.Errorf("got %v, want the fatal class %q", err, awserr.Expired)
		}
		if got := w.cloud.Requests(); got["AssumeRole"] > 2 || got["ListObjectsV2"] > 8 {
			t.Errorf("got requests %v, want few", got)
		}
	})
}

// TestExpiredAndRefused checks that a dropped session is not used again, even if its renewal is
// refused.
func TestExpiredAndRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		client := w.client(t, w.open(t), "syncd")
		if err := list(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.role.Revoke()
		w.cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Kind: awsfake.AccessDenied})
		refused := refusal(t, list(t.Context(), client))
		if refused.Action != "sts:AssumeRole" {
			t.Errorf("got action %q, want sts:AssumeRole", refused.Action)
		}
	})
}

// TestExpiredHop checks that a role is assumed through a new session of the previous hop if that
// hop's session has expired.
func TestExpiredHop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hop := w.hop(t)
		client := w.client(t, w.open(t), "syncd")
		if err := list(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		hop.Revoke()
		w.role.Revoke()
		if err := list(t.Context(), client); err != nil {
			t.Errorf("got %v, want both sessions renewed", err)
		}
		// The first request needs two calls. The second request needs three: one for the role,
		// which is refused because the hop's session is invalid, one for the hop, and one for the
		// role again.
		if n := w.assumed(); n != 5 {
			t.Errorf("got %d calls of AssumeRole, want 5", n)
		}
	})
}

func TestRetrieveEndsWhenCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		client := w.client(t, w.open(t), "syncd")
		w.cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Times: 1, Kind: awsfake.Timeout})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := list(ctx, client); err == nil || time.Since(start) > 2*time.Second {
			t.Errorf("got %v after %s, want an error when the context ended", err, time.Since(start))
		}
		time.Sleep(time.Minute) // the attempt to assume the role continues for other callers until it times out
	})
}

// TestAssumeRoleIsRetried checks that AssumeRole succeeds after STS has throttled for a while.
func TestAssumeRoleIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Times: 3, Kind: awsfake.Throttle})
		if err := w.try(t, "syncd"); err != nil {
			t.Error(err)
		}
		if n := w.assumed(); n != 4 {
			t.Errorf("got %d calls of AssumeRole, want 4", n)
		}
	})
}

// TestAssumeRoleOutlivesSilence checks that there is time for a third call of AssumeRole after two
// calls without a response.
func TestAssumeRoleOutlivesSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Times: 2, Kind: awsfake.Timeout})
		if err := w.try(t, "syncd"); err != nil || w.assumed() != 3 {
			t.Errorf("got %v after %d calls of AssumeRole, want success at the third", err, w.assumed())
		}
	})
}

// TestAssumeRoleHasAnEnd checks that AssumeRole fails at its time limit if STS never responds.
func TestAssumeRoleHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Kind: awsfake.Timeout})
		start := time.Now()
		refused := refusal(t, w.try(t, "syncd"))
		if took := time.Since(start); took > 3*time.Minute || refused.Role != w.role.ARN {
			t.Errorf("got an error about role %q after %s, want one about %s soon", refused.Role, took, w.role.ARN)
		}
	})
}

// TestRetriesAreNotRationed checks that in an outage the last of many requests is retried as often
// as the first.
func TestRetriesAreNotRationed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		client := w.client(t, w.open(t), "syncd")
		outage := w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.InternalError})
		const requests = 200
		_ = inParallel(requests, func() error { return list(t.Context(), client) })
		if n := w.cloud.Requests()["ListObjectsV2"]; n != 8*requests {
			t.Errorf("got %d attempts of %d requests, want 8 each", n, requests)
		}
		outage()
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Times: 7, Kind: awsfake.Throttle})
		if err := list(t.Context(), client); err != nil {
			t.Errorf("got %v after the outage, want success at the eighth attempt", err)
		}
	})
}

// TestExpiry checks the result of Set.Expiry, which a metric shows.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		set := w.open(t)
		client := w.client(t, set, "syncd")
		if end, ok := set.Expiry("syncd"); ok {
			t.Errorf("got %s before the first request, want none", end)
		}
		for range 2 {
			if err := list(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			// In both rounds the request just sent got a new session: the second round is 59
			// minutes later, when a session is already due for renewal.
			if end, ok := set.Expiry("syncd"); !ok || time.Until(end) != time.Hour {
				t.Errorf("got an expiry in %s, %v, want in an hour", time.Until(end), ok)
			}
			time.Sleep(59 * time.Minute)
		}
		if end, ok := set.Expiry(""); ok {
			t.Errorf("got %s for the ambient credentials, want none", end)
		}
	})
}

// TestAnswersThatBreakOffAreRetried checks that a request is retried if the body of its response is
// truncated, which the SDK alone would not do.
func TestAnswersThatBreakOffAreRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Times: 2, Kind: awsfake.CutBody})
		if err := w.try(t, "syncd"); err != nil || w.cloud.Requests()["ListObjectsV2"] != 3 {
			t.Errorf("got %v after %v, want success at the third attempt", err, w.cloud.Requests())
		}
	})
}

// TestAnswersForGoodAreNotRetried checks that permanent errors of S3 are not retried, whether in
// the body of a 200 response or as a status.
func TestAnswersForGoodAreNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		client := w.client(t, w.open(t), "syncd")
		for _, kind := range []awsfake.FaultKind{awsfake.AccessDenied, awsfake.PreconditionFailed} {
			w.cloud.ResetRequests()
			restore := w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: kind})
			if err := list(t.Context(), client); err == nil {
				t.Errorf("fault %v: got no error", kind)
			}
			if n := w.cloud.Requests()["ListObjectsV2"]; n != 1 {
				t.Errorf("fault %v: got %d attempts, want 1", kind, n)
			}
			restore()
		}
	})
}

// TestSlowRenewalHoldsUpNothing checks that requests are not delayed for long if STS and the
// ambient credentials endpoint stop responding while a session is valid.
func TestSlowRenewalHoldsUpNothing(t *testing.T) {
	for _, role := range []string{"syncd", ""} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			agent := w.podIdentity(t)
			client := w.client(t, w.open(t), role)
			if err := list(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			w.cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Kind: awsfake.Timeout})
			agent.answers(silent)
			time.Sleep(56 * time.Minute)
			begun, waited := time.Now(), time.Duration(0)
			for range 3 * 60 {
				begun := time.Now()
				if err := list(t.Context(), client); err != nil {
					t.Fatalf("role %q: %v", role, err)
				}
				waited += time.Since(begun)
				time.Sleep(time.Second)
			}
			if took := time.Since(begun); waited > took/10 || waited == 0 {
				t.Errorf("role %q: requests waited %s of %s for a renewal, want little", role, waited, took)
			}
			time.Sleep(time.Minute) // the last renewal ends by its own time limit
		})
	}
}
