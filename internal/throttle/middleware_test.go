package throttle_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	gocmp "github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/throttle"
)

// unlimited returns a draw on a new quota.
func unlimited() *throttle.Draw {
	return throttle.NewQuota(throttle.ControllerOptions{}).Draw()
}

func (w *world) copy(ctx context.Context) error {
	_, err := w.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("data"), Key: aws.String("copy"), CopySource: aws.String("data/k")})
	return err
}

// TestGuardAttributesThrottling sends copies through the SDK, and refuses the first ten. It checks
// whether the refusals count for the service or for KMS.
func TestGuardAttributesThrottling(t *testing.T) {
	for _, tt := range []struct {
		name         string
		kind         awsfake.FaultKind
		service, kms int64
	}{
		{"no fault", awsfake.None, 0, 0},
		{"throttled", awsfake.Throttle, 10, 0},
		{"unavailable", awsfake.Unavailable, 10, 0},
		{"throttled by KMS", awsfake.ThrottleKMS, 0, 10},
		{"internal error", awsfake.InternalError, 0, 0},
		{"error in a 200", awsfake.ErrorIn200, 0, 0},
		{"denied", awsfake.AccessDenied, 0, 0},
		{"reset", awsfake.Reset, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				guard := &throttle.Guard{Service: unlimited(), KMS: unlimited()}
				w := newWorld(t, &throttle.Meter{}, guard)
				w.cloud.Inject(awsfake.Fault{Times: 10, Kind: tt.kind})
				for range 10 {
					_ = w.copy(t.Context()) // the test checks the counts of the controllers below
					time.Sleep(100 * time.Millisecond)
				}
				if service, kms := guard.Service.Throttles(), guard.KMS.Throttles(); service != tt.service || kms != tt.kms {
					t.Errorf("got %d and %d throttles of service and KMS, want %d and %d", service, kms, tt.service, tt.kms)
				}
				if _, limited := guard.Service.Rate(); limited != (tt.service > 0) {
					t.Errorf("got the service limited: %v, want %v", limited, tt.service > 0)
				}
				if _, limited := guard.KMS.Rate(); limited != (tt.kms > 0) {
					t.Errorf("got KMS limited: %v, want %v", limited, tt.kms > 0)
				}
			})
		})
	}
}

// TestGuardOfSTS checks that a guard recognizes throttling by STS, whose responses differ from
// those of S3.
func TestGuardOfSTS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard := &throttle.Guard{Service: unlimited()}
		w := newWorld(t, &throttle.Meter{}, guard)
		w.cloud.Inject(awsfake.Fault{Operation: "GetCallerIdentity", Times: 2, Kind: awsfake.Throttle})
		if err := w.whoAmI(t.Context()); err != nil || guard.Service.Throttles() != 2 {
			t.Errorf("got %v, %d throttles, want success after 2", err, guard.Service.Throttles())
		}
	})
}

// TestLevelLearnsFromConnections checks how the level changes when connections fail below the SDK.
func TestLevelLearnsFromConnections(t *testing.T) {
	for i, tt := range []struct {
		name      string
		fault     awsfake.FaultKind
		after     time.Duration
		low, high int
	}{
		{"well", awsfake.None, 100 * time.Second, 16, 16},
		{"reset", awsfake.Reset, 100 * time.Second, 2, 4},
		{"timeout", awsfake.Timeout, 4 * time.Minute, 2, 4},
		{"cut", awsfake.CutBody, 100 * time.Second, 2, 4},
		{"answer lost", awsfake.LoseAnswer, 100 * time.Second, 2, 4},
		{"throttled", awsfake.Throttle, 100 * time.Second, 16, 16},
		{"internal errors", awsfake.InternalError, 100 * time.Second, 16, 16},
		{"denied", awsfake.AccessDenied, 100 * time.Second, 16, 16},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if *played != "all" && i%2 != 0 {
				t.Skip("make stress runs it")
			}
			synctest.Test(t, func(t *testing.T) {
				level := throttle.NewLevel(throttle.LevelOptions{Min: 2, Start: 16, Max: 16})
				w := newWorld(t, &throttle.Meter{}, &throttle.Guard{Level: level})
				w.cloud.SetLatency(500 * time.Millisecond)
				w.cloud.Inject(awsfake.Fault{Probability: 0.5, Kind: tt.fault})
				gate, start := level.Gate(), time.Now()
				var senders sync.WaitGroup
				for range 20 {
					senders.Go(func() {
						for time.Since(start) < tt.after+20*time.Second {
							ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
							if gate.Acquire(ctx) == nil {
								_ = w.list(ctx)
								gate.Release()
							}
							cancel()
						}
					})
				}
				time.Sleep(tt.after)
				var seen []int
				for range 9 {
					seen = append(seen, level.Limit())
					time.Sleep(2 * time.Second)
				}
				if got := slices.Sorted(slices.Values(seen))[4]; got < tt.low || got > tt.high {
					t.Errorf("got levels of %v, half of them above %d, want %d to %d", seen, got, tt.low, tt.high)
				}
				senders.Wait()
			})
		})
	}
}

// TestGuardWaitsBeforeTheSignature makes a request wait longer than a signature is valid. It checks
// that the signature is still valid, and that the meter does not count the wait as latency.
func TestGuardWaitsBeforeTheSignature(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen attempts
		hourly := throttle.NewController(throttle.ControllerOptions{Cap: 1.0 / 3600})
		w := newWorld(t, &throttle.Meter{Observe: seen.observe}, &throttle.Guard{Cap: hourly})
		w.cloud.SetLatency(time.Second)
		start := time.Now()
		for range 2 {
			if err := w.list(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(start).Round(time.Minute); got != time.Hour {
			t.Errorf("got both sent within %v, want an hour", got)
		}
		attempt := throttle.Attempt{Operation: "ListObjectsV2", Duration: time.Second}
		if diff := gocmp.Diff([]throttle.Attempt{attempt, attempt}, seen.seen); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

// TestGuardPacesRetries checks that the retries of one call are paced by a cap of one attempt per
// minute.
func TestGuardPacesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &throttle.Meter{}, &throttle.Guard{Cap: throttle.NewController(throttle.ControllerOptions{Cap: 1.0 / 60})})
		w.cloud.Inject(awsfake.Fault{Times: 4, Kind: awsfake.InternalError})
		start := time.Now()
		if err := w.list(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start).Round(time.Minute); got != 4*time.Minute {
			t.Errorf("got five attempts within %v, want 4m", got)
		}
	})
}

// TestHeadNeedsKMSForTheChecksum checks, with a KMS cap of one request per hour, that a HEAD
// request waits for KMS only if it requests the checksum.
func TestHeadNeedsKMSForTheChecksum(t *testing.T) {
	for _, tt := range []struct {
		mode types.ChecksumMode
		want time.Duration
	}{
		{"", 0},
		{types.ChecksumModeEnabled, time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, &throttle.Meter{}, &throttle.Guard{KMSCap: throttle.NewController(throttle.ControllerOptions{Cap: 1.0 / 3600})})
			start := time.Now()
			for range 2 {
				_, err := w.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), ChecksumMode: tt.mode})
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := time.Since(start).Round(time.Minute); got != tt.want {
				t.Errorf("mode %q: got %v for two, want %v", tt.mode, got, tt.want)
			}
		})
	}
}

// TestCanceledWaitIsNotTriedAgain checks that a call that is canceled while it waits for a rate is
// not retried.
func TestCanceledWaitIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		meter := &throttle.Meter{}
		w := newWorld(t, meter, &throttle.Guard{Service: throttle.NewQuota(throttle.ControllerOptions{Name: "source", Cap: 0.001}).Draw()})
		if err := w.list(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := w.list(ctx); awserr.Classify(err) != awserr.Canceled || time.Since(start) != time.Minute {
			t.Errorf("got %v after %v, want class %q after 1m", err, time.Since(start), awserr.Canceled)
		}
		if got := meter.Counts().Requests["ListObjectsV2"]; got != 1 {
			t.Errorf("got %d attempts, want 1", got)
		}
	})
}

func TestGuardNeedsARetryer(t *testing.T) {
	if err := (&throttle.Guard{}).Attach(middleware.NewStack("bare", func() any { return nil })); err == nil {
		t.Error("got no error for a stack without a retryer")
	}
}
