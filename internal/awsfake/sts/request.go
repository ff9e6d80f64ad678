// Package sts implements STS: role sessions and GetCallerIdentity.
//
// AssumeRole checks every action that the call requires, in the caller's policies and in the role's
// trust policy. As in AWS, the next session in a chain inherits transitive tags and the source
// identity. Package directory stores the credentials of sessions.
//
// Terms: an assumption is one AssumeRole call. Inherited tags are the transitive tags of the
// calling session.
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

// Service is STS for all accounts.
type Service struct {
	rates  rate.Limiters // by account
	packed atomic.Int64  // limit of SetPackedPolicyLimit, in bytes; 0 means none
}

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// SetRate limits the account's STS calls per second; 0 means no limit. A call that assumes another
// account's role counts against the caller's account. Above the limit, STS answers 400
// ThrottlingException. AWS's limit is 600 calls per second.
func (s *Service) SetRate(account string, perSecond float64) { s.rates.Of(account).Set(perSecond) }

// request is a request to STS.
type request struct {
	*core.Request
	service *Service
}

// SetPackedPolicyLimit sets the maximum total length in bytes of the session policies and tags,
// including inherited tags, that AssumeRole accepts; 0 means no limit. If the length is within the
// limit, AssumeRole returns the percentage of the limit that is used. AWS limits the length in an
// undocumented packed format instead, which the fake does not use.
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

// inherited returns the transitive tags of the caller's own session.
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
