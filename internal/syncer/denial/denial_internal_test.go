package denial

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
)

// TestRefusedErrorNamesTheCauseOnce checks that the error contains the cause once, and names the
// policies to check if the service does not.
func TestRefusedErrorNamesTheCauseOnce(t *testing.T) {
	refusal := func(message string) error {
		return &request.ObjectError{Op: "copy", Bucket: "b", Key: "k", Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: message}}
	}
	const named = `User: u is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no resource-based policy allows the s3:GetObject action`
	for _, tt := range []struct {
		err  Error
		want string
	}{
		{Error{InTurn: 40, Elsewhere: 5, Side: sideSource, Err: refusal(named)}, `everything is refused: 40 objects in a row and 5 in other key ranges: copy s3://b/"k": AccessDenied: ` + named},
		{Error{InTurn: 32, Elsewhere: 1, Side: sideSource, Err: refusal("Access Denied")}, "AccessDenied: Access Denied; reading is refused too: check the owner's"},
		{Error{InTurn: 32, Elsewhere: 1, Side: sideDestination, Err: refusal("Access Denied")}, "AccessDenied: Access Denied; reading is allowed: check the policy of the role"},
	} {
		got := tt.err.Error()
		if !strings.Contains(got, tt.want) || strings.Count(got, "AccessDenied") != 1 {
			t.Errorf("got %q, want %q in it, and the cause once", got, tt.want)
		}
		if awserr.Classify(&tt.err) != awserr.Denied {
			t.Errorf("got class %q of %v, want %q", awserr.Classify(&tt.err), &tt.err, awserr.Denied)
		}
	}
}

// TestNothingIsSettledOnceAllIsRefused checks that, after the decision that everything is refused,
// later refusals change nothing, and neither a late copy nor the walk releases the held objects.
func TestNothingIsSettledOnceAllIsRefused(t *testing.T) {
	var r streak
	for range suspectAfter - 1 {
		if r.add(nil, record.Quarantined{}) {
			t.Fatal("got a decision too early")
		}
	}
	if !r.add(nil, record.Quarantined{}) {
		t.Fatalf("got no decision after %d refusals in a row", suspectAfter)
	}
	if all, held := r.judged(true); !all || held != nil {
		t.Fatalf("got %v and %d objects released, want everything refused and none released", all, len(held))
	}
	if r.add(nil, record.Quarantined{}) {
		t.Error("got a second decision")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := r.Wait(ended); err == nil {
		t.Error("another copy began after the decision")
	}
	late := r.Begin()
	if let := len(r.Copied(late, listing.Object{})) + len(r.Take(0)); let != 0 {
		t.Errorf("got %d objects released after the decision, want none", let)
	}
}

// TestACopyDisprovesARefusalOfAll checks that a copy that succeeds while the decision is pending
// disproves that everything is refused.
func TestACopyDisprovesARefusalOfAll(t *testing.T) {
	var r streak
	old := r.Begin()
	for !r.add(nil, record.Quarantined{}) {
	}
	if held := r.Copied(old, listing.Object{}); held != nil {
		t.Errorf("got %d objects released by a copy that began before all refusals, want none", len(held))
	}
	if held := r.Copied(r.Begin(), listing.Object{}); len(held) != suspectAfter {
		t.Errorf("got %d objects released by a copy that began after the refusals, want all", len(held))
	}
	if all, _ := r.judged(true); all {
		t.Error("got everything refused, although an object was copied meanwhile")
	}
}
