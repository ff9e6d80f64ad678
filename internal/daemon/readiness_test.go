package daemon_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/daemon"
	"syncd/internal/daemon/status"
)

// readiness returns the response of /readyz and its status code.
func readiness(t *testing.T, d *daemon.Daemon) (code int, answer status.Readiness) {
	t.Helper()
	got := ask(t, d.Handler(), "/readyz")
	if err := json.Unmarshal(got.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Ready != (got.Code == 200) || answer.Ready != (answer.WhyNot == "") {
		t.Errorf("got status %d with %+v, want the status, ready and the reason to agree", got.Code, answer)
	}
	return got.Code, answer
}

// TestReadinessIsThatOfTheProcess checks that the process is ready even if mappings fail for their
// own reasons, and that the response lists those mappings.
func TestReadinessIsThatOfTheProcess(t *testing.T) {
	noRole := &awserr.CredentialsError{Role: "arn:aws:iam::111111111111:role/gone", Err: errors.New("denied")}
	for name, broken := range map[string]daemon.Runner{
		"credentials": &passes{readies: 30 * s, unready: noRole}, "the bucket": &passes{took: s, err: errors.New("no such bucket")},
		"its ledger": unopened{}, "a panic": &passes{panics: "boom"}, "a pass that hangs": &passes{took: 1 << 60},
	} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				d, stop := start(t, options(mapping("a", broken), mapping("b", broken), mapping("c", broken)))
				for range 40 {
					time.Sleep(20 * s)
					if code, answer := readiness(t, d); code != 200 || len(answer.Mappings) != 3 {
						t.Fatalf("got %d, %+v, want the process ready with three mappings", code, answer)
					}
				}
				_, answer := readiness(t, d)
				if m := answer.Mappings[0]; m.Ready && name != "the bucket" {
					t.Errorf("got %+v, want the mapping not ready", m)
				}
				stop()
			})
		})
	}
}

// TestReadinessFollowsTheState checks that a process is not ready before it has reached its state,
// nor after several failed checks in a row.
func TestReadinessFollowsTheState(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		out := make(chan error, 1)
		answer := errors.New("AccessDenied for AKIAIOSFODNN7EXAMPLE")
		o := options(mapping("m", &passes{took: s}))
		o.CheckState = func(ctx context.Context) error {
			select {
			case err := <-out:
				answer = err
			default:
			}
			if answer != nil && answer.Error() == "hangs" {
				<-ctx.Done()
				return ctx.Err()
			}
			return answer
		}
		d, stop := start(t, o)
		expect := func(want int, text string) {
			t.Helper()
			time.Sleep(2 * s) // the daemon reuses a snapshot for a second
			if code, answer := readiness(t, d); code != want || !strings.Contains(answer.WhyNot, text) {
				t.Errorf("got %d, %q, want %d, %q", code, answer.WhyNot, want, text)
			}
		}
		expect(503, "the state cannot be reached: AccessDenied for [redacted]")
		out <- nil
		time.Sleep(5 * s)
		expect(200, "")
		out <- errors.New("hangs")
		time.Sleep(70 * s) // one check has failed
		expect(200, "")
		time.Sleep(30 * s)
		expect(503, "no answer within")
		out <- nil
		time.Sleep(20 * s)
		expect(200, "")
		stop()
		expect(503, "draining")
	})
}

// TestReadinessGathersNothing checks that a probe does not collect the metrics, which are many for
// a fleet.
func TestReadinessGathersNothing(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		o := options(mapping("m", &passes{took: s}))
		gathered := 0
		o.Gatherer = prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { gathered++; return nil, nil })
		d, stop := start(t, o)
		o.Board.Of("m").SetLeaseHeld(true)
		if code, answer := readiness(t, d); code != 200 || !answer.Mappings[0].Ready || gathered != 0 {
			t.Errorf("got %d, %+v, and the metrics collected %d times, want ready, the lease held, and 0", code, answer, gathered)
		}
		stop()
	})
}

// TestReadinessBeginsWithTheStart checks that a process is not ready before Run is called.
func TestReadinessBeginsWithTheStart(t *testing.T) {
	if code, answer := readiness(t, daemon.New(options())); code != 503 || answer.WhyNot == "" {
		t.Errorf("got %d, %+v before the start, want 503 with a reason", code, answer)
	}
}
