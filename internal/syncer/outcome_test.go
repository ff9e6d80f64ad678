package syncer_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/smithy-go"

	"syncd/internal/checkpoint/store"
	"syncd/internal/syncer"
	"syncd/internal/syncer/denial"
)

// TestOutcomeOf checks the result and the exit code for each way in which a pass can end.
func TestOutcomeOf(t *testing.T) {
	refused := func(code string) error { return &denial.Error{Err: &smithy.GenericAPIError{Code: code}} }
	aside := syncer.Summary{Quarantined: map[string]int64{"denied": 1}}
	for _, tt := range []struct {
		name    string
		summary syncer.Summary
		err     error
		want    syncer.Outcome
	}{
		{"complete", syncer.Summary{}, nil, syncer.Outcome{Result: "complete", Exit: syncer.ExitDone}},
		{"set aside", aside, nil, syncer.Outcome{Result: "quarantined", Exit: syncer.ExitQuarantined}},
		{"set aside before it was resumed", syncer.Summary{QuarantinedBefore: 1}, nil, syncer.Outcome{Result: "quarantined", Exit: syncer.ExitQuarantined}},
		{"drained", aside, fmt.Errorf("pass: %w", syncer.ErrDrained), syncer.Outcome{Result: "drained", Exit: syncer.ExitInterrupted}},
		{"all is refused", aside, refused("AccessDenied"), syncer.Outcome{Result: "denied", Exit: syncer.ExitFailed}},
		{"all fails for an outage", aside, refused("ServiceUnavailable"), syncer.Outcome{Result: "failed", Exit: syncer.ExitFailed}},
		{"another process has the lease", syncer.Summary{}, &store.LeaseHeldError{}, syncer.Outcome{Exit: syncer.ExitLeaseHeld}},
		{"failed", aside, errors.New("broken"), syncer.Outcome{Result: "failed", Exit: syncer.ExitFailed}},
	} {
		if got := syncer.OutcomeOf(tt.summary, tt.err); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
