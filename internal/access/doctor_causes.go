package access

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"syncd/internal/awserr"
	"syncd/internal/iam"
)

// side is whose account it is.
func (w *walk) side(account string) Side {
	if slices.Contains(w.owners, account) {
		return Owner
	}
	return Consumer
}

// causes explains why a permission fails, most likely first.
func (w *walk) causes(k *ask, a *attempt) []Cause {
	causes := slices.Clone(a.known)
	switch a.class { //nolint:exhaustive // the others say nothing that is to be done about them
	case awserr.Denied:
		if slices.ContainsFunc(causes, func(c Cause) bool { return c.Kind == CauseOwnership && c.Confidence == Certain }) {
			return causes // no document would help
		}
		said := slices.DeleteFunc(w.refusal(k, a), func(c Cause) bool {
			return len(c.Statement) == 0 && slices.ContainsFunc(causes, func(o Cause) bool { return o.Kind == c.Kind && o.Target == c.Target })
		})
		return slices.Concat(w.othersKey(k), causes, said)
	case awserr.KeyDisabled:
		return append(causes, Cause{
			Kind: CauseKeyState, Side: w.side(k.Owner), Account: k.Owner, Target: k.Resource, Confidence: Certain,
			Why: "the key cannot be used: enable it, or cancel its deletion",
		})
	case awserr.NoKey:
		return append(causes, w.noKey(k))
	case awserr.NoBucket:
		path := w.sideOf(k) + ".bucket"
		if k.On == StateBucket {
			path = "state"
		}
		return append(causes, w.misconfigured(path, "there is no such bucket"))
	}
	return append(causes, w.otherwise(k, a)...)
}

// otherwise explains failures that are no refusal.
func (w *walk) otherwise(k *ask, a *attempt) []Cause {
	if causes := unreached(a); causes != nil {
		return causes
	}
	region, hint := awserr.BucketRegion(a.err), awserr.Hint(a.err)
	switch {
	case errors.Is(a.err, errUnconditional):
		return []Cause{{
			Kind: CauseService, Side: Consumer, Confidence: Certain,
			Why: "it does not honour If-Match: a lease would not hold, and copies could overwrite each other",
		}}
	case region != "":
		return []Cause{w.misconfigured(w.sideOf(k)+".region", "the bucket is in "+region)}
	case a.class == awserr.WrongRegion:
		return []Cause{w.misconfigured(w.sideOf(k)+".region", "the bucket is in another region")}
	case awserr.IsClock(awserr.Code(a.err), a.err.Error()):
		return []Cause{{Kind: CauseClock, Side: Consumer, Confidence: Certain, Why: "the clock of this machine differs from that of AWS by more than 15 minutes: set it"}}
	case k.On == AssumedRole && strings.Contains(a.err.Error(), "MaxSessionDuration"):
		return []Cause{
			w.misconfigured("roles."+k.Target+".duration", "it is longer than the role allows"),
			{
				Kind: CauseRoleSettings, Side: w.side(k.Owner), Account: k.Owner, Target: k.Resource, Confidence: Likely,
				Why: "MaxSessionDuration of the role is shorter than the configuration asks for: raise it",
			},
		}
	case k.On == AssumedRole && k.Role == "" && awserr.Code(a.err) != "" && (a.class == awserr.Credentials || a.class == awserr.Expired):
		return []Cause{{Kind: CauseCredentials, Side: Consumer, Confidence: Certain, Why: hint}}
	case k.On == AssumedRole && a.class != awserr.Transient && a.class != awserr.Throttled:
		return []Cause{w.misconfigured("roles."+k.Target, cmp.Or(hint, "AWS does not take what is sent: the error tells why"))}
	case a.class == awserr.Credentials, a.class == awserr.Expired:
		return []Cause{{Kind: CauseCredentials, Side: Consumer, Confidence: Certain, Why: cmp.Or(hint, "the ambient credentials are wrong or have expired: give the process fresh ones")}}
	case a.class.Passes():
		kind := CauseService
		if awserr.IsAway(a.err) {
			kind = CauseNetwork
		}
		return []Cause{{Kind: kind, Side: Consumer, Confidence: Likely, Why: cmp.Or(hint, "the service or the way to it: look at the endpoint and the network, or try again")}}
	}
	return nil
}

// unreached explains that no service answered, nil when one did or when it may only be down.
func unreached(a *attempt) []Cause {
	c := Cause{Kind: CauseNetwork, Side: Consumer, Confidence: Certain}
	if endpoint, ok := errors.AsType[*awserr.EndpointError](a.err); ok && endpoint.Unreachable {
		c.Target, c.Why = endpoint.Endpoint, endpoint.Hint
		return []Cause{c}
	}
	if answer, ok := errors.AsType[*awserr.ForeignError](a.err); ok {
		c.Target, c.Why = cmp.Or(answer.Proxy, answer.Endpoint), answer.Hint()
		return []Cause{c}
	}
	return nil
}

// noKey explains a key that does not exist: of copies and of the state the configuration names it, of objects of the source their owner
// chose it.
func (w *walk) noKey(k *ask) Cause {
	side, _, _ := strings.Cut(string(k.On), " ")
	if side == "source" {
		return Cause{
			Kind: CauseKeyState, Side: w.side(k.Owner), Account: k.Owner, Target: k.Resource, Confidence: Certain,
			Why: "the key under which objects are stored does not exist any more: they cannot be read",
		}
	}
	at := w.place(Resource(side + " key"))
	return w.misconfigured(w.sideOf(k)+".kms_key", "KMS has no such key in "+at.region+": correct the ARN")
}

// othersKey is the suspicion that the key of the copies was mistaken: it is another account's than the bucket.
func (w *walk) othersKey(k *ask) []Cause {
	parts := strings.Split(k.Resource, ":")
	account := w.place(DestinationKey).account
	if k.On != DestinationKey || len(parts) < 6 || account == "" || parts[4] == account {
		return nil
	}
	return []Cause{{
		Kind: CauseConfiguration, Side: Consumer, Target: w.sideOf(k) + ".kms_key", Confidence: Likely,
		Why: "the key is of account " + parts[4] + ", and the bucket of " + account + ": is the ARN right?",
	}}
}

func (w *walk) misconfigured(path, why string) Cause {
	return Cause{Kind: CauseConfiguration, Side: Consumer, Target: path, Confidence: Certain, Why: why}
}

// sideOf is where the configuration says what a resource is.
func (w *walk) sideOf(k *ask) string {
	side, _, _ := strings.Cut(string(k.On), " ")
	if side == "state" {
		return "checkpoint"
	}
	return "mappings." + w.m.Name + "." + side
}

// refusal explains why no policy allows it: by AWS's reason where there is one.
func (w *walk) refusal(k *ask, a *attempt) []Cause {
	said := a.said
	switch {
	case said.public:
		return []Cause{w.owned(k, CausePublicAccess, Certain, "Block Public Access of the bucket keeps other accounts out while its policy is public")}
	case said.hidden:
		return []Cause{
			w.lacking(k, iam.SourceResource, Likely, "the key policy does not allow it, or denies it"),
			w.sooner(k, "or there is no such key in this region"),
			w.owned(k, CauseResourceControl, Possible, "a resource control policy over the key denies it"),
		}
	case said.by != "":
		return w.said(k, said)
	case strings.Contains(a.err.Error(), "cross-region"):
		return []Cause{w.owned(k, CauseEndpoint, Certain, "a gateway VPC endpoint does not copy from one region to another: use copy.mode relay, or a way past it")}
	}
	return w.unsaid(k)
}

// sooner is the other reading of KMS's sentence.
func (w *walk) sooner(k *ask, why string) Cause {
	path := w.sideOf(k) + ".kms_key"
	if k.On == SourceKey {
		path = w.sideOf(k) + ".region"
	}
	c := w.misconfigured(path, why)
	c.Confidence = Possible
	return c
}

// said is what AWS names. A policy that denies wants no other statement but a narrower one.
func (w *walk) said(k *ask, said reason) []Cause {
	why, add := "AWS says that it does not allow the action", true
	if said.explicit {
		why, add = "AWS says that a Deny in it matches: narrow it, or spare "+principalName(k.Need)+" in its condition", false
	}
	if said.policy != "" {
		why += " (" + said.policy + ")"
	}
	var c Cause
	switch said.by {
	case "identity-based policy":
		c = w.lacking(k, iam.SourceIdentity, Certain, why)
	case "resource-based policy", "role trust policy":
		if behind := w.lackingBehind(k); len(behind) > 0 && said.resource != "" && pointOf(said.resource) == "" {
			c = behind[0]
			c.Confidence, c.Why = Certain, why
			break
		}
		c = w.lacking(k, iam.SourceResource, Certain, why)
	case "session policy":
		c = w.mine(k, CauseKind(KindSession), Certain, why)
	case "permissions boundary":
		c = w.mine(k, CauseBoundary, Certain, why)
	case "service control policy":
		c = w.mine(k, CauseServiceControl, Certain, why)
	case "VPC endpoint policy":
		c = w.mine(k, CauseEndpoint, Certain, why)
	default:
		c = w.owned(k, CauseResourceControl, Certain, why)
	}
	if !add {
		c.Statement = nil
	}
	causes := []Cause{c}
	if said.explicit && said.by == "resource-based policy" && k.kind().optional() && k.Account != k.Owner {
		causes = append(causes, w.owned(k, CausePublicAccess, Likely, "or the policy is public, and RestrictPublicBuckets keeps other accounts out"))
	}
	return causes
}

// unsaid is what cannot be told apart from outside: both accounts have to allow it, and AWS says of neither. That whose other
// requests fare worse comes first, and in doubt the resource's.
func (w *walk) unsaid(k *ask) []Cause {
	resource := w.lacking(k, iam.SourceResource, Likely, w.resourceWhy(k))
	identity := w.lacking(k, iam.SourceIdentity, Likely, "it does not allow the action on this resource, or a Deny in it matches")
	causes := append([]Cause{resource, identity}, w.lackingBehind(k)...)
	if w.failing(k, identitySide) > w.failing(k, resourceSide) {
		causes = append([]Cause{identity, resource}, w.lackingBehind(k)...)
	}
	if k.On == AssumedRole && k.Action == actionAssume {
		path, why := "roles."+k.Target+".external_id", "it is not set, and the trust policy asks for one"
		if k.ExternalID {
			why = "it is not the one that the trust policy asks for"
		}
		c := w.misconfigured(path, why)
		c.Confidence = Likely
		causes = append(causes, c)
	}
	causes = append(causes,
		w.mine(k, CauseServiceControl, Possible, "a service control policy over the account of the principal"),
		w.mine(k, CauseBoundary, Possible, "the permissions boundary of the principal"))
	if k.kind().optional() {
		causes = append(causes,
			w.mine(k, CauseEndpoint, Possible, "the policy of the VPC endpoint that requests go through, if they do"),
			w.owned(k, CausePublicAccess, Possible, "RestrictPublicBuckets, if the bucket policy is public"))
	}
	return append(causes, w.owned(k, CauseResourceControl, Possible, "a resource control policy over the account of the resource"))
}

func (w *walk) resourceWhy(k *ask) string {
	switch {
	case k.On == AssumedRole && k.ExternalID:
		return "it does not trust " + principalName(k.Need) + " with this ExternalId, or there is no such role"
	case k.On == AssumedRole:
		return "it does not trust " + principalName(k.Need) + ", or there is no such role"
	default:
		return "it does not allow " + principalName(k.Need) + " the action, or a Deny in it matches"
	}
}

// Which document of an ask is looked at.
const (
	identitySide = iota
	resourceSide
)

// failing is the share of what a document has to allow that is not proven, of all that was tried.
func (w *walk) failing(k *ask, of int) float64 {
	same := func(o *ask) bool { return o.Principal == k.Principal && o.Role == k.Role }
	if of == resourceSide {
		same = func(o *ask) bool { return o.kind() == k.kind() && w.target(o) == w.target(k) }
	}
	tried, failed := 0, 0
	for _, o := range w.asks {
		if !same(o) || !w.tried(o) {
			continue
		}
		tried++
		if !o.proven {
			failed++
		}
	}
	return float64(failed) / float64(max(tried, 1))
}

// lacking is a document that does not allow it, with the statement that would.
func (w *walk) lacking(k *ask, source iam.Source, sure Confidence, why string) Cause {
	g := &gap{Need: k.Need, source: source, actions: []string{k.Action}}
	c := Cause{Kind: CauseKind(KindIdentity), Account: k.Account, Target: k.Principal, Confidence: sure, Why: why}
	if source != iam.SourceIdentity {
		c.Kind, c.Account, c.Target = CauseKind(k.kind()), k.Owner, w.target(k)
	}
	c.Side, c.Statement = w.side(c.Account), json.RawMessage(g.statement())
	return c
}

// target is what the resource's own document is put on.
func (w *walk) target(k *ask) string {
	switch {
	case k.holder != "" && k.behind:
		return k.holder
	case k.kind() == KindAccessPoint:
		return pointOf(k.Resource)
	case k.kind() == KindBucket:
		return bucketOf(k.Resource)
	}
	return k.Resource
}

// lackingBehind is the policy of the bucket behind an access point, which has to allow what the access point's does.
func (w *walk) lackingBehind(k *ask) []Cause {
	for _, n := range w.behind {
		if k.kind() == KindAccessPoint && n.Role == k.Role && n.Action == k.Action {
			return []Cause{w.lacking(&ask{Need: n}, iam.SourceResource, Likely,
				"the bucket behind the access point has to allow it too, itself or by delegating to the access points of account "+accountOf(k.Resource))}
		}
	}
	return nil
}

// mine and owned are causes on the principal's and on the resource's side that no statement of ours mends.
func (w *walk) mine(k *ask, kind CauseKind, sure Confidence, why string) Cause {
	return Cause{Kind: kind, Side: w.side(k.Account), Account: k.Account, Target: k.Principal, Confidence: sure, Why: why}
}

func (w *walk) owned(k *ask, kind CauseKind, sure Confidence, why string) Cause {
	return Cause{Kind: kind, Side: w.side(k.Owner), Account: k.Owner, Target: w.target(k), Confidence: sure, Why: why}
}
