package awsfake

import (
	"net/http"
	"strings"
	"sync/atomic"
)

// stsService is STS of every account.
type stsService struct {
	rates  limiters     // by account
	packed atomic.Int64 // the limit of packed policies, in bytes
}

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// setRate limits the account's calls of STS; an AssumeRole of another account's role counts on its
// caller's account. Beyond it STS answers 400 ThrottlingException. 0 is no limit; AWS's is 600.
func (s *stsService) setRate(account string, perSecond float64) { s.rates.of(account).set(perSecond) }

// stsRequest is a request to STS.
type stsRequest struct {
	*request
	sts *stsService
}

// setPackedPolicyLimit makes AssumeRole refuse session policies and tags that together, the inherited
// ones included, are longer than so many bytes, and otherwise say how much of it they took; 0 is no
// limit. AWS has had such a limit on a packed form that it does not describe; the fake packs nothing.
func (s *stsService) setPackedPolicyLimit(bytes int) { s.packed.Store(int64(bytes)) }

func (q *stsRequest) stsAnswer(write func(x *xmlWriter)) *response {
	result := &xmlWriter{}
	write(result)
	return queryAnswer(q.operation, q.id, stsNamespace, result.bytes())
}

func (q *stsRequest) denyAssumption(action, role string) error {
	return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s",
		q.caller.caller.ARN, action, role)
}

// inherited are the transitive tags that the caller's own session brings along.
func (q *stsRequest) inherited() map[string]string {
	out := map[string]string{}
	for _, key := range q.caller.transitive {
		for k, v := range q.caller.tags {
			if strings.EqualFold(k, key) {
				out[k] = v
			}
		}
	}
	return out
}
