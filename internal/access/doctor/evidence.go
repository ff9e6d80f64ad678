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

// probeTimeout bounds one request of the doctor with its retries.
const probeTimeout = time.Minute

// ask is a permission as requests meet it: a need, and of a key that one key under the encryption
// context of one object.
type ask struct {
	access.Need
	proven   bool
	narrowed bool // others stand for it
	// excused says why it does not matter that nothing told.
	excused string
	objects string // the kind of objects whose key it is
}

// attempt is a request that was sent, all that it asks for, and what became of it.
type attempt struct {
	request string
	asks    []*ask
	err     error // nil: it was allowed
	class   awserr.Class
	said    reason
	known   []Cause // that another request has proved
}

// evidence is what the requests about one mapping have shown. A request that is allowed proves
// everything that it asks for. One that is refused makes a suspect of what it names, or else of
// what nothing proves: therefore each request asks for little more than those before it, and no
// permission is judged before all requests are sent.
type evidence struct {
	view      access.View
	asks      []*ask
	attempts  []*attempt
	blocked   map[string]string // by role, why there is no session of it
	doubted   bool              // STS does not take the ambient credentials
	leftovers []string          // that could not be taken away again
}

// try sends a request and keeps what it tells about what it asks for. Nil asks are what the mapping
// does not need.
func (e *evidence) try(ctx context.Context, request string, send func(context.Context) error, asks ...*ask) *attempt {
	return e.record(request, bounded(ctx, send), asks...)
}

// bounded sends a request without waiting for ever.
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

// dead reports whether the service does not take the credentials themselves.
func (a *attempt) dead() bool {
	return a.err != nil && (a.class == awserr.Credentials || a.class == awserr.Expired)
}

// errTellsNothing is of answers to a request that cannot succeed, from which nothing follows.
var errTellsNothing = errors.New("the answer does not tell")

// absent is for requests about what does not exist. The answer that there is nothing, or not what
// the condition asks, is success: S3 gives it to those who are allowed. To those who may not list
// the bucket it says so instead, once the request itself is allowed. That the request is wrong
// tells nothing.
func absent(err error) error {
	if err == nil || readReason(err).action == "s3:ListBucket" {
		return nil
	}
	switch awserr.Classify(err) { //nolint:exhaustive // the answers of an allowed request
	case awserr.Gone, awserr.Precondition, awserr.Conflict:
		return nil
	case awserr.Invalid:
		return fmt.Errorf("%w: %w", errTellsNothing, err)
	default:
		return err
	}
}

// missing is for requests about what may have gone since it was listed: only the plain answer that
// there is nothing is success.
func missing(err error) error {
	if awserr.Classify(err) == awserr.Gone {
		return nil
	}
	return err
}

// ask finds the need of an actor, nil when the mapping has none.
func (e *evidence) ask(by access.Actor, action string, on access.Resource) *ask {
	role, at := e.roleOf(by), e.view.Scope(on)
	var found *ask
	for _, k := range e.asks {
		// One row may stand for another that asks for the same.
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

// narrow narrows the need of a key down to that of one object: which key it is, and which
// encryption context its data key has. The objects of one kind share an ask.
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

// suspects are the permissions that a request accuses: one that is refused those which it names,
// else those that nothing proves; one that fails otherwise the first, which stands for the request.
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
		// One action on two keys: what is proved of one is not meant.
		list = slices.DeleteFunc(list, proven)
	}
	return list
}

func (e *evidence) tried(k *ask) bool {
	return slices.ContainsFunc(e.attempts, func(a *attempt) bool { return slices.Contains(a.asks, k) })
}

// excuse explains why nothing was found out about permissions on these.
func (e *evidence) excuse(why string, on ...access.Resource) {
	for _, k := range e.asks {
		for _, r := range on {
			if k.On == r {
				k.excused = why
			}
		}
	}
}
