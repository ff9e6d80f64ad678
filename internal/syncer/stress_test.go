package syncer_test

import (
	"flag"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/config/value"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/copier/content"
	"syncd/internal/creds"
	"syncd/internal/iam"
	"syncd/internal/throttle"
)

// many is the number of objects in the tests of faults and rates; make stress sets a larger number.
// The rates are proportional to this number (70 copies per second for a thousand objects), so that
// the duration stays the same.
var many = flag.Int("many", 1000, "how many objects the tests of faults and rates copy")

// pace has the limits for the requests of a realistic world.
type pace struct {
	level                    *throttle.Level
	source, destination, kms *throttle.Draw
}

// realistic gives the world the clients of the program, with its retries, timeouts and rate limits.
func (w *world) realistic(t *testing.T) pace {
	t.Helper()
	p := pace{
		level:  throttle.NewLevel(throttle.LevelOptions{Min: 4, Start: 64, Max: 512}),
		source: throttle.NewQuota(throttle.ControllerOptions{}).Draw(), destination: throttle.NewQuota(throttle.ControllerOptions{}).Draw(),
		kms: throttle.NewQuota(throttle.ControllerOptions{}).Draw(),
	}
	role := w.cloud.Account(consumer).CreateRole("syncd", iam.MustParse(fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, consumer)),
		awsfake.RoleOptions{Policies: []*iam.Document{iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}})
	set, err := creds.New(t.Context(), creds.Options{
		Roles:       map[string]config.Role{"syncd": {ARN: role.ARN, SessionName: "syncd", Duration: value.Duration(time.Hour)}},
		EndpointURL: "http://aws.invalid", AllowHTTP: true, HTTPClient: &http.Client{Transport: w.cloud.RoundTripper()}, Ambient: w.signer,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.copies.Initiator, w.copies.Session = role.ARN, "syncd"
	client := func(service *throttle.Draw) *s3.Client {
		c, err := set.Config("syncd", region)
		if err != nil {
			t.Fatal(err)
		}
		guard := &throttle.Guard{Level: p.level, Service: service, KMS: p.kms}
		return s3.NewFromConfig(c, func(o *s3.Options) {
			o.BaseEndpoint, o.UsePathStyle = aws.String("http://aws.invalid"), true
			o.APIOptions = append(o.APIOptions, []func(*middleware.Stack) error{throttle.Patience, w.options.Meter.Attach, guard.Attach}...)
		})
	}
	w.live.Client = client(p.source)
	w.copies.Source, w.copies.Destination, w.copies.Slots = w.live.Client.(*s3.Client), client(p.destination), p.level.Gate()
	w.options.Turns = p.level.Gate()
	return p
}

// TestAPassOutlivesSilence checks that a pass copies everything although the first two requests of
// each kind get no response.
func TestAPassOutlivesSilence(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.realistic(t)
		w.fill(3)
		for _, operation := range []string{"AssumeRole", "ListObjectsV2", "CopyObject"} {
			w.cloud.Inject(awsfake.Fault{Operation: operation, Times: 2, Kind: awsfake.Timeout})
		}
		if got := mustRun(t, w.open(t)); got.Copied != 3 || got.Exit != 0 {
			t.Errorf("got %+v, want 3 copied", got)
		}
	})
}

// TestEverythingArrivesThroughFaults checks, for server-side copies and for relays, that everything
// is copied although one request in twenty fails, in various ways.
func TestEverythingArrivesThroughFaults(t *testing.T) {
	skipIfShort(t)
	large := *many / 1000 // how many objects are copied in parts
	for _, mode := range []string{"server-side", "relay"} {
		t.Run(mode, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.realistic(t)
				w.copies.MultipartAbove, w.copies.PartSize = 5<<20, 5<<20
				if mode == "relay" {
					w.copies.Relay, w.copies.Buffers = true, content.NewBuffers(128<<20)
				}
				w.fill(*many - large)
				for i := range large {
					w.source.Put(name(*many-large+i), awsfake.SyntheticBody(12<<20, uint64(i)), awsfake.PutOptions{}) //nolint:gosec // small
				}
				w.cloud.SetLatency(20 * time.Millisecond)
				for _, kind := range []awsfake.FaultKind{
					awsfake.InternalError, awsfake.Throttle, awsfake.Reset, awsfake.CutBody,
				} {
					w.cloud.Inject(awsfake.Fault{Probability: 0.05 / 6, Kind: kind})
				}
				// Silence is rarer: an object that meets it three times in a row, for ten minutes each, is rightly
				// quarantined.
				w.cloud.Inject(awsfake.Fault{Probability: 0.05 / 60, Kind: awsfake.Timeout})
				for _, operation := range []string{"CopyObject", "UploadPartCopy", "CompleteMultipartUpload"} { // the only operations with this fault
					w.cloud.Inject(awsfake.Fault{Operation: operation, Probability: 0.05 / 6, Kind: awsfake.ErrorIn200})
				}
				s := w.open(t)
				got := mustRun(t, s)
				// If the response to a copy was lost, the copier looks for the copy before it
				// copies again.
				if got.Copied+got.Adopted != int64(*many) || got.Adopted > int64(*many/20) || got.Exit != 0 {
					t.Errorf("got %+v, want all %d copied", got, *many)
				}
				mustRun(t, s) // aborts the uploads that the first pass could not record
				if n := w.destination.Uploads(); n != 0 {
					t.Errorf("got %d unfinished uploads, want none", n)
				}
				if diff := cmp.Diff(w.source.Keys(), w.destination.Keys()); diff != "" {
					t.Fatalf("keys (-source +copy):\n%s", diff)
				}
				for _, key := range w.source.Keys() {
					original, _ := w.source.Object(key)
					if copied, _ := w.destination.Object(key); copied.Checksum != original.Checksum || copied.KeyARN != w.key.ARN() {
						t.Fatalf("%s: got %+v, want the content of %+v under the key", key, copied, original)
					}
				}
			})
		})
	}
}

// window is what the service received from ten seconds after the start until the end of a pass.
type window struct {
	seconds             float64
	requests, throttled int64 // of CopyObject
}

// watched runs a pass over n objects and returns what the service received after the first ten
// seconds.
func (w *world) watched(t *testing.T, n int) window {
	t.Helper()
	w.fill(n)
	w.cloud.SetLatency(20 * time.Millisecond)
	start := time.Now()
	var before window
	time.AfterFunc(10*time.Second, func() {
		before = window{requests: w.copied(), throttled: w.cloud.Throttled()["CopyObject"]}
	})
	got := mustRun(t, w.open(t))
	if got.Copied != int64(n) || got.Exit != 0 {
		t.Fatalf("got %+v, want all %d copied", got, n)
	}
	return window{
		seconds: time.Since(start).Seconds() - 10, requests: w.copied() - before.requests,
		throttled: w.cloud.Throttled()["CopyObject"] - before.throttled,
	}
}

// check checks that at least nine tenths of the allowed rate are used, and that very few requests
// are throttled.
func (got window) check(t *testing.T, allowed float64) {
	t.Helper()
	rate, refused := float64(got.requests-got.throttled)/got.seconds, float64(got.throttled)/float64(got.requests)
	t.Logf("%.0f copies a second of %.0f allowed (%.1f %%), %.2f %% refused, over %.0f s", rate, allowed, 100*rate/allowed, 100*refused, got.seconds)
	if rate < 0.9*allowed || refused >= 0.03 {
		t.Errorf("got %.0f copies a second and %.1f %% refused, want at least 90 %% of %.0f and less than 3 %%", rate, 100*refused, allowed)
	}
}

// TestItFindsTheRateOfAPrefix checks that a pass reaches the rate that the destination prefix
// accepts, with few throttled requests.
func TestItFindsTheRateOfAPrefix(t *testing.T) {
	skipIfShort(t)
	checkpointtest.Bubble(t, func(t *testing.T) {
		allowed := float64(*many) * 7 / 100
		w := newWorld(t)
		pace := w.realistic(t)
		w.destination.SetRates(awsfake.Rates{Writes: allowed})
		w.watched(t, 3**many).check(t, allowed)
		if rate, limited := pace.kms.Rate(); limited {
			t.Errorf("KMS was limited to %.0f a second, but never throttled", rate)
		}
	})
}

// TestItFindsTheRateOfKMS makes KMS accept fewer requests than S3. It checks that copies adapt to
// that rate and that other requests are not affected.
func TestItFindsTheRateOfKMS(t *testing.T) {
	skipIfShort(t)
	checkpointtest.Bubble(t, func(t *testing.T) {
		allowed := float64(*many) * 4 / 100
		w := newWorld(t)
		pace := w.realistic(t)
		w.cloud.Account(consumer).SetKMSRate(allowed)
		w.watched(t, 2**many).check(t, allowed)
		for side, c := range map[string]*throttle.Draw{"source": pace.source, "destination": pace.destination} {
			if rate, limited := c.Rate(); limited {
				t.Errorf("the %s was limited to %.0f a second, but only KMS throttled", side, rate)
			}
		}
		if throttled := w.cloud.Throttled(); len(throttled) != 1 {
			t.Errorf("got %v throttled, want only copies throttled", throttled)
		}
	})
}

// TestRefusalsAtRandomCostLittle compares two passes: one without throttling, and one in which a
// fraction of the requests is throttled at random, independently of their rate.
func TestRefusalsAtRandomCostLittle(t *testing.T) {
	skipIfShort(t)
	took := func(refused float64) (seconds float64) {
		checkpointtest.Bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.realistic(t)
			w.fill(*many)
			w.cloud.SetLatency(20 * time.Millisecond)
			if refused > 0 {
				w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Probability: refused, Kind: awsfake.Throttle})
			}
			start := time.Now()
			if got := mustRun(t, w.open(t)); got.Copied != int64(*many) {
				t.Fatalf("got %+v, want all %d copied", got, *many)
			}
			seconds = time.Since(start).Seconds()
		})
		return seconds
	}
	undisturbed := took(0)
	for _, refused := range []float64{0.005, 0.05} {
		// The last objects can be throttled several times while no other objects are left to copy.
		const lastOnes = 2
		if got, want := took(refused), undisturbed/0.9/(1-refused)+lastOnes; got > want {
			t.Errorf("got %.1f s with %.2f %% refused, and %.1f s undisturbed, want at most %.1f s", got, 100*refused, undisturbed, want)
		}
	}
}
