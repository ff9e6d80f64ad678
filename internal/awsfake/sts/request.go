// Package sts is STS: sessions of roles, and who one is.
//
// It promises that AssumeRole asks for every action that the call amounts to, of the caller's
// policies and of the role's trust policy, and that tags and the source identity of a session go on
// to the next where AWS passes them on. Credentials of sessions are kept by package directory.
//
// Words to know. An assumption is one AssumeRole call as it was asked for; inherited tags are the
// transitive ones of the session that calls.
package sts

import (
	"net/http"
	"strings"
	"sync/atomic"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/rate"
	"syncd/internal/awsfake/wire"
)

// Service is STS of every account.
type Service struct {
	rates  rate.Limiters // by account
	packed atomic.Int64  // the limit of packed policies, in bytes
}

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// SetRate limits the account's calls of STS; an AssumeRole of another account's role counts on its
// caller's account. Beyond it STS answers 400 ThrottlingException. 0 is no limit; AWS's is 600.
func (s *Service) SetRate(account string, perSecond float64) { s.rates.Of(account).Set(perSecond) }

// request is a request to STS.
type request struct {
	*core.Request
	service *Service
}

// SetPackedPolicyLimit makes AssumeRole refuse session policies and tags that together, the
// inherited ones included, are longer than so many bytes, and otherwise say how much of it they
// took; 0 is no limit. AWS has had such a limit on a packed form that it does not describe; the
// fake packs nothing.
func (s *Service) SetPackedPolicyLimit(bytes int) { s.packed.Store(int64(bytes)) }

func (q *request) answer(write func(x *wire.XML)) *wire.Response {
	result := &wire.XML{}
	write(result)
	return form.Answer(q.Operation, q.ID, namespace, result.Bytes())
}

func (q *request) denyAssumption(action, role string) error {
	return wire.Refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s",
		q.Caller.Caller.ARN, action, role)
}

// inherited are the transitive tags that the caller's own session brings along.
func (q *request) inherited() map[string]string {
	out := map[string]string{}
	for _, key := range q.Caller.Transitive {
		for k, v := range q.Caller.Tags {
			if strings.EqualFold(k, key) {
				out[k] = v
			}
		}
	}
	return out
}
