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

// ask is a permission that requests test. It is a need or, for a KMS key, a need restricted to one
// key and to the encryption context of one object.
type ask struct {
	access.Need
	proven   bool
	narrowed bool // other asks, each for one key and encryption context, replace this ask
	// excused is the reason why no request tested the permission, or "" if there is none.
	excused string
	objects string // for a key: which kind of objects it encrypts; otherwise ""
}

// attempt is a request that was sent, with the asks that it tests and its result.
type attempt struct {
	request string
	asks    []*ask
	err     error // nil if the request was allowed
	class   awserr.Class
	said    reason
	known   []Cause // causes that other requests have shown
}

// evidence contains the results of the requests for one mapping. A request that is allowed proves
// all its asks. A request that is denied accuses the asks that AWS names in the error or, if AWS
// names none, the asks that no request has proved. Each request adds only a few asks to those that
// earlier requests tested, so that a denial accuses few asks. The judge runs after all requests.
type evidence struct {
	view      access.View
	asks      []*ask
	attempts  []*attempt
	blocked   map[string]string // the reason why a role has no session, by the name of the role
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
		e.blocked[""] = "the service rejects the ambient credentials"
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

// absent interprets err, the error of a request for a resource that does not exist. It returns nil
// for "not found" and "precondition failed", because S3 returns them only to allowed callers. It
// also returns nil for a denial of s3:ListBucket, which S3 returns instead of "not found" to
// allowed callers that may not list the bucket. For an invalid request it returns an error that
// wraps errInconclusive. It returns all other errors unchanged.
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

// missing returns nil for "not found", because an object can be deleted after it was listed. It
// returns all other errors unchanged.
func missing(err error) error {
	if awserr.Classify(err) == awserr.Gone {
		return nil
	}
	return err
}

// ask returns the ask for an action of an actor on a resource, or nil if the mapping does not need
// this permission.
func (e *evidence) ask(by access.Actor, action string, on access.Resource) *ask {
	role, at := e.roleOf(by), e.view.Scope(on)
	var found *ask
	for _, k := range e.asks {
		// If several rows of the table yield the same permission, there is only one ask for all of
		// them.
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

// narrow returns the ask k restricted to the key and the encryption context of the sample s.
// Samples with the same key and encryption context share an ask. narrow returns nil if k is nil or
// if s is not encrypted with a KMS key.
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
// names, or otherwise those that are not proven. For other failures it is only the first unproven
// ask, so that the failure is reported once.
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
		// If the request used the same action on two keys, the denial is about the key that is not
		// proven.
		list = slices.DeleteFunc(list, proven)
	}
	return list
}

func (e *evidence) tried(k *ask) bool {
	return slices.ContainsFunc(e.attempts, func(a *attempt) bool { return slices.Contains(a.asks, k) })
}

// excuse records the reason why no request tested the permissions on the given resources.
func (e *evidence) excuse(why string, on ...access.Resource) {
	for _, k := range e.asks {
		for _, r := range on {
			if k.On == r {
				k.excused = why
			}
		}
	}
}
