package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd/config"
	"syncd/internal/awserr"
	"syncd/internal/creds"
	"syncd/internal/deadline"
)

// probeTimeout bounds one request of the doctor with its retries.
const probeTimeout = time.Minute

// ask is a permission as requests meet it: a need, and of a key that one key under the encryption context of one object.
type ask struct {
	Need
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

// walk is one mapping under examination. A request that is allowed proves everything that it asks for. One that is refused makes a
// suspect of what it names, or else of what nothing proves: therefore each request asks for little more than those before it, and
// nobody is accused before all have been heard.
type walk struct {
	reading
	o      DoctorOptions
	owners []string // accounts of the mappings' sources
	set    *creds.Set

	asks      []*ask
	behind    []Need // what the policy of the bucket behind an access point has to allow
	attempts  []*attempt
	probes    []Probe                // that are of no permission
	blocked   map[string]string      // by role, why there is no session of it
	doubted   bool                   // STS does not take the ambient credentials
	assumed   map[string]config.Role // the roles, with the endpoints at which they are assumed
	leftovers []string
	samples   []sample // of the source
}

// run sends the requests.
func (w *walk) run(ctx context.Context) (err error) {
	w.assumed = w.c.AssumedRoles(w.m)
	if w.set, err = w.o.Sessions(ctx, w.m, w.assumed); err != nil {
		return err
	}
	for _, n := range Needs(w.c, w.m) {
		if n.behind {
			w.behind = append(w.behind, n)
			continue
		}
		w.asks = append(w.asks, &ask{Need: n})
	}
	w.probeRoles(ctx)
	for _, probe := range []func(context.Context) error{w.probeSource, w.probeDestination, w.probeState} {
		if err := probe(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// try sends a request and keeps what it tells about what it asks for. Nil asks are what the mapping does not need.
func (w *walk) try(ctx context.Context, request string, send func(context.Context) error, asks ...*ask) *attempt {
	return w.record(request, bounded(ctx, send), asks...)
}

// bounded sends a request without waiting for ever.
func bounded(ctx context.Context, send func(context.Context) error) error {
	return deadline.Do(ctx, probeTimeout, send)
}

func (w *walk) record(request string, err error, asks ...*ask) *attempt {
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
	if w.doubted && a.dead() && slices.ContainsFunc(a.asks, func(k *ask) bool { return k.Role == "" }) {
		w.blocked[""] = "the ambient credentials do not work"
	}
	w.attempts = append(w.attempts, a)
	return a
}

// dead reports whether the service does not take the credentials themselves.
func (a *attempt) dead() bool {
	return a.err != nil && (a.class == awserr.Credentials || a.class == awserr.Expired)
}

// errTellsNothing is of answers to a request that cannot succeed, from which nothing follows.
var errTellsNothing = errors.New("the answer does not tell")

// absent is for requests about what does not exist. The answer that there is nothing, or not what the condition asks, is success: S3
// gives it to those who are allowed. To those who may not list the bucket it says so instead, once the request itself is allowed. That
// the request is wrong tells nothing.
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

// missing is for requests about what may have gone since it was listed: only the plain answer that there is nothing is success.
func missing(err error) error {
	if awserr.Classify(err) == awserr.Gone {
		return nil
	}
	return err
}

// ask finds the need of an actor, nil when the mapping has none.
func (w *walk) ask(by Actor, action string, on Resource) *ask {
	role, at := w.roleOf(by), w.place(on)
	var found *ask
	for _, k := range w.asks {
		// One row may stand for another that asks for the same.
		if k.Role == role && k.Action == action && k.Resource == at.pattern && (found == nil || k.On == on) {
			found = k
		}
	}
	return found
}

func (w *walk) roleOf(by Actor) string {
	switch by {
	case Reader:
		return w.m.Source.Role
	case Writer:
		return w.m.Destination.Role
	case Keeper:
		return w.c.Checkpoint.Role
	case Caller:
	}
	return ""
}

// of narrows the need of a key down to that of one object: which key it is, and which encryption context its data key has. The
// objects of one kind share an ask.
func (w *walk) of(k *ask, s sample) *ask {
	if k == nil || s.key == "" {
		return nil
	}
	context := []string{s.context}
	same := func(other *ask) bool {
		return other.Role == k.Role && other.On == k.On && other.Action == k.Action && other.Resource == s.key &&
			slices.Equal(other.Context[contextKey], context)
	}
	if i := slices.IndexFunc(w.asks, same); i >= 0 {
		return w.asks[i]
	}
	narrow := &ask{Need: k.Need}
	narrow.Resource, narrow.Sample, narrow.Owner = s.key, s.key, cmp.Or(accountOf(s.key), k.Owner)
	narrow.objects = "under the key itself"
	if !strings.HasSuffix(s.context, "/"+s.object) {
		narrow.objects = "under a bucket key"
	}
	narrow.Context = map[string][]string{contextKey: context}
	w.asks = slices.Insert(w.asks, slices.Index(w.asks, k)+1, narrow)
	k.narrowed = true
	return narrow
}

// contextKey is the condition key of the encryption context that S3 gives every data key.
const contextKey = "kms:EncryptionContext:aws:s3:arn"

// suspects are the permissions that a request accuses: one that is refused those which it names, else those that nothing proves; one
// that fails otherwise the first, which stands for the request.
func (w *walk) suspects(a *attempt) (list []*ask) {
	if a.err == nil {
		return nil
	}
	for _, k := range a.asks {
		accused := !k.proven
		switch {
		case a.said.action != "":
			accused = strings.EqualFold(k.Action, a.said.action)
		case a.class == awserr.KeyDisabled, a.class == awserr.NoKey:
			accused = k.On.isKey()
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

// result makes probes of what the requests told.
func (w *walk) result() []Probe {
	for _, a := range w.attempts {
		w.accuseStranger(a)
	}
	probes := slices.Clone(w.probes)
	for _, k := range w.asks {
		if !k.narrowed || w.tried(k) {
			probes = append(probes, w.judge(k))
		}
	}
	for _, a := range w.attempts {
		if a.err != nil && len(w.suspects(a)) == 0 {
			probes = append(probes, w.unexplained(a))
		}
	}
	return probes
}

func (w *walk) tried(k *ask) bool {
	return slices.ContainsFunc(w.attempts, func(a *attempt) bool { return slices.Contains(a.asks, k) })
}

// accuseStranger adds what a refusal names and the table does not know, as the sts:TagSession of a session that inherits tags from
// the credentials of its surroundings.
func (w *walk) accuseStranger(a *attempt) {
	if a.err == nil || a.said.action == "" || len(a.asks) == 0 || len(w.suspects(a)) > 0 {
		return
	}
	k := &ask{Need: a.asks[0].Need}
	k.Action, k.ExternalID, k.condition = a.said.action, false, nil
	if strings.HasPrefix(k.Action, "kms:") && !k.On.isKey() {
		side, _, _ := strings.Cut(string(k.On), " ")
		at := w.place(Resource(side + " key"))
		k.On, k.Resource, k.Owner, k.condition = at.on, cmp.Or(at.key, a.said.resource, at.pattern), at.owner, at.conditions(k.Action)
	}
	a.asks = append(a.asks, k)
	w.asks = append(w.asks, k)
}

// judge decides one permission, by the request that tells the most.
func (w *walk) judge(k *ask) Probe {
	probe := probeOf(k.Need)
	probe.Objects = k.objects
	var worst *attempt
	for _, a := range w.attempts {
		switch {
		case !slices.Contains(a.asks, k):
		case a.err == nil:
			probe.Request = cmp.Or(probe.Request, a.request)
		case slices.Contains(w.suspects(a), k) && (worst == nil || w.tellsMore(a, worst)):
			worst = a
		}
	}
	switch {
	case worst != nil && (!k.proven || worst.said.action != ""):
		probe.Request, probe.Error = worst.request, awserr.Brief(worst.err)
		probe.Outcome = worst.outcome()
		probe.Causes = w.causes(k, worst)
	case k.proven:
		probe.Outcome = OutcomeOK
	default:
		probe.Outcome, probe.Error = OutcomeSkipped, cmp.Or(k.excused, w.blocked[k.Role], "nothing that was tried tells")
	}
	return probe
}

// tellsMore compares two refusals: words tell more than none, and one that accuses few more than one that accuses many.
func (w *walk) tellsMore(a, than *attempt) bool {
	if wordy := a.said.action != ""; wordy != (than.said.action != "") {
		return wordy
	}
	return len(w.suspects(a)) < len(w.suspects(than))
}

// unexplained is a request that fails though all that it asks for is allowed.
func (w *walk) unexplained(a *attempt) Probe {
	probe := Probe{
		Mapping: w.m.Name, Feature: FeatureRequest, Action: a.request, Request: a.request,
		Outcome: a.outcome(), Error: awserr.Brief(a.err),
	}
	k := &ask{}
	if len(a.asks) > 0 {
		k = a.asks[len(a.asks)-1]
		probe.Resource, probe.Principal = k.Resource, cmp.Or(k.Principal, k.Role)
	}
	probe.Causes = w.causes(k, a)
	return probe
}

func (a *attempt) outcome() Outcome {
	if errors.Is(a.err, errTellsNothing) {
		return OutcomeUnknown
	}
	switch a.class { //nolint:exhaustive // all others are failures
	case awserr.Denied:
		return OutcomeDenied
	case awserr.Throttled, awserr.ThrottledKMS, awserr.Canceled, awserr.Unsupported:
		return OutcomeUnknown
	default:
		return OutcomeFailed
	}
}
