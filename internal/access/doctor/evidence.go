package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd/internal/access"
	"syncd/internal/arn"
	"syncd/internal/awserr"
	"syncd/internal/deadline"
)

// probeTimeout is the time limit for one request with its retries.
const probeTimeout = time.Minute

// ask is a permission as used in requests: a need, or, for a key, the need of one specific key with
// the encryption context of one object.
type ask struct {
	access.Need
	proven   bool
	narrowed bool // more specific asks represent it
	// excused is the reason why no request tested it.
	excused string
	objects string // the kind of objects that the key encrypts
}

// attempt is a request with its asks and its result.
type attempt struct {
	request string
	asks    []*ask
	err     error // nil if the request was allowed
	class   awserr.Class
	said    reason
	known   []Cause // causes that another request has proved
}

// evidence is the results of the requests for one mapping. An allowed request proves all its asks.
// A denied request accuses the asks that AWS names, or otherwise those that are not proven.
// Therefore each request adds few asks to those of the requests before it, and the judge runs after
// all requests.
type evidence struct {
	view      access.View
	asks      []*ask
	attempts  []*attempt
	blocked   map[string]string // by role, why it has no session
	doubted   bool              // STS rejects the ambient credentials
	leftovers []string          // uploads and objects that could not be deleted
}

// try sends a request and records the result for its asks. A nil ask is a permission that the
// mapping does not need.
func (e *evidence) try(ctx context.Context, request string, send func(context.Context) error, asks ...*ask) *attempt {
	return e.record(request, bounded(ctx, send), asks...)
}

// bounded sends a request with a time limit.
func bounded(ctx context.Context, send func(context.Context) error) error {
	return deadline.Do(ctx, probeTimeout, send)
}

func (e *evidence) record(request string, err error, asks ...*ask) *attempt {
	a := &attempt{request: request, err: err, class: classOf(err)}
	for _, k := range asks {
		if k == nil {
			continue
		}
		a.asks = append(a.asks, k)
		k.proven = k.proven || err == nil
	}
	if err != nil {
		a.said = readReason(err)
	}
	if e.doubted && a.dead() && slices.ContainsFunc(a.asks, func(k *ask) bool { return k.Role == "" }) {
		e.blocked[""] = "the ambient credentials do not work"
	}
	e.attempts = append(e.attempts, a)
	return a
}

// dead reports whether the service rejected the credentials themselves.
func (a *attempt) dead() bool {
	return a.err != nil && (a.class == awserr.Credentials || a.class == awserr.Expired)
}

// errInconclusive is the error for an inconclusive response to a request that cannot succeed.
var errInconclusive = errors.New("the response is inconclusive")

// absent maps the error of a request for a resource that does not exist. "Not found" and
// "precondition failed" are success, because S3 returns them only to allowed callers. So is a
// denial of s3:ListBucket, which S3 returns to allowed callers that may not list the bucket. An
// invalid request is inconclusive.
func absent(err error) error {
	if err == nil || readReason(err).action == "s3:ListBucket" {
		return nil
	}
	switch awserr.Classify(err) { //nolint:exhaustive // the answers of an allowed request
	case awserr.Gone, awserr.Precondition, awserr.Conflict:
		return nil
	case awserr.Invalid:
		return fmt.Errorf("%w: %w", errInconclusive, err)
	default:
		return err
	}
}

// missing maps the error of a request for an object that may have been deleted since it was listed.
// Only "not found" is success.
func missing(err error) error {
	if awserr.Classify(err) == awserr.Gone {
		return nil
	}
	return err
}

// ask returns the ask of an actor, or nil if the mapping does not need it.
func (e *evidence) ask(by access.Actor, action string, on access.Resource) *ask {
	role, at := e.roleOf(by), e.view.Scope(on)
	var found *ask
	for _, k := range e.asks {
		// One row may represent another row with the same permission.
		if k.Role == role && k.Action == action && k.Resource == at.Pattern && (found == nil || k.On == on) {
			found = k
		}
	}
	return found
}

func (e *evidence) roleOf(by access.Actor) string {
	switch by {
	case access.Reader:
		return e.view.Mapping.Source.Role
	case access.Writer:
		return e.view.Mapping.Destination.Role
	case access.Keeper:
		return e.view.Config.Checkpoint.Role
	case access.Caller:
	}
	return ""
}

// narrow returns the ask for the key and the encryption context of one object. Objects of the same
// kind share an ask.
func (e *evidence) narrow(k *ask, s sample) *ask {
	if k == nil || s.key == "" {
		return nil
	}
	context := []string{s.context}
	same := func(other *ask) bool {
		return other.Role == k.Role && other.On == k.On && other.Action == k.Action && other.Resource == s.key &&
			slices.Equal(other.Context[access.EncryptionContext], context)
	}
	if i := slices.IndexFunc(e.asks, same); i >= 0 {
		return e.asks[i]
	}
	narrow := &ask{Need: k.Need}
	narrow.Resource, narrow.Sample, narrow.Owner = s.key, s.key, cmp.Or(arn.Account(s.key), k.Owner)
	narrow.objects = "under the key itself"
	if !strings.HasSuffix(s.context, "/"+s.object) {
		narrow.objects = "under a bucket key"
	}
	narrow.Context = map[string][]string{access.EncryptionContext: context}
	e.asks = slices.Insert(e.asks, slices.Index(e.asks, k)+1, narrow)
	k.narrowed = true
	return narrow
}

// suspects returns the asks that a failed request accuses. For a denial these are the asks that AWS
// names, or otherwise those that are not proven. For other failures it is the first unproven ask,
// which represents the request.
func (a *attempt) suspects() (list []*ask) {
	if a.err == nil {
		return nil
	}
	for _, k := range a.asks {
		accused := !k.proven
		switch {
		case a.said.action != "":
			accused = strings.EqualFold(k.Action, a.said.action)
		case a.class == awserr.KeyDisabled, a.class == awserr.NoKey:
			accused = k.On.IsKey()
		case a.class != awserr.Denied:
			accused = accused && len(list) == 0
		}
		if accused {
			list = append(list, k)
		}
	}
	proven := func(k *ask) bool { return k.proven }
	if slices.ContainsFunc(list, func(k *ask) bool { return !k.proven }) {
		// If the same action failed on one of two keys, AWS means the unproven one.
		list = slices.DeleteFunc(list, proven)
	}
	return list
}

func (e *evidence) tried(k *ask) bool {
	return slices.ContainsFunc(e.attempts, func(a *attempt) bool { return slices.Contains(a.asks, k) })
}

// excuse records why permissions on these resources were not tested.
func (e *evidence) excuse(why string, on ...access.Resource) {
	for _, k := range e.asks {
		for _, r := range on {
			if k.On == r {
				k.excused = why
			}
		}
	}
}
