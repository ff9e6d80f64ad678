package syncer

import (
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"syncd/internal/awserr"
	"syncd/internal/copier"
)

// TestRefusedErrorNamesTheCauseOnce, and whose policy it is where the service does not say so.
func TestRefusedErrorNamesTheCauseOnce(t *testing.T) {
	refusal := func(message string) error {
		return &copier.ObjectError{Op: "copy", Bucket: "b", Key: "k", Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: message}}
	}
	const named = `User: u is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no resource-based policy allows the s3:GetObject action`
	for _, tt := range []struct {
		err  RefusedError
		want string
	}{
		{RefusedError{InTurn: 40, Elsewhere: 5, Side: sideSource, Err: refusal(named)}, `everything is refused: 40 objects in turn and 5 elsewhere: copy s3://b/"k": AccessDenied: ` + named},
		{RefusedError{InTurn: 32, Elsewhere: 1, Side: sideSource, Err: refusal("Access Denied")}, "AccessDenied: Access Denied; not even reading is allowed: look at the owner's"},
		{RefusedError{InTurn: 32, Elsewhere: 1, Side: sideDestination, Err: refusal("Access Denied")}, "AccessDenied: Access Denied; reading is allowed: look at the policy of the role"},
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
