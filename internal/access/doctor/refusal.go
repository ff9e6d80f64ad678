package doctor

import (
	"encoding/json"
	"strings"

	"syncd/internal/access"
	"syncd/internal/arn"
	"syncd/internal/iam"
)

// refusal explains why no policy allows it: by AWS's reason where there is one.
func (e *explainer) refusal(k *ask, a *attempt) []Cause {
	said := a.said
	switch {
	case said.public:
		return []Cause{e.owned(k, CausePublicAccess, Certain, "Block Public Access of the bucket keeps other accounts out while its policy is public")}
	case said.hidden:
		return []Cause{
			e.lacking(k, iam.SourceResource, Likely, "the key policy does not allow it, or denies it"),
			e.sooner(k, "or there is no such key in this region"),
			e.owned(k, CauseResourceControl, Possible, "a resource control policy over the key denies it"),
		}
	case said.by != "":
		return e.said(k, said)
	case strings.Contains(a.err.Error(), "cross-region"):
		return []Cause{e.owned(k, CauseEndpoint, Certain, "a gateway VPC endpoint does not copy from one region to another: use copy.mode relay, or a way past it")}
	}
	return e.unsaid(k)
}

// sooner is the other reading of KMS's sentence.
func (e *explainer) sooner(k *ask, why string) Cause {
	path := e.sideOf(k) + ".kms_key"
	if k.On == access.SourceKey {
		path = e.sideOf(k) + ".region"
	}
	c := misconfigured(path, why)
	c.Confidence = Possible
	return c
}

// said is what AWS names. A policy that denies wants no other statement but a narrower one.
func (e *explainer) said(k *ask, said reason) []Cause {
	why, add := "AWS says that it does not allow the action", true
	if said.explicit {
		why, add = "AWS says that a Deny in it matches: narrow it, or spare "+access.PrincipalName(k.Need)+" in its condition", false
	}
	if said.policy != "" {
		why += " (" + said.policy + ")"
	}
	var c Cause
	switch said.by {
	case "identity-based policy":
		c = e.lacking(k, iam.SourceIdentity, Certain, why)
	case "resource-based policy", "role trust policy":
		if behind := e.lackingBehind(k); len(behind) > 0 && said.resource != "" && access.PointOf(said.resource) == "" {
			c = behind[0]
			c.Confidence, c.Why = Certain, why
			break
		}
		c = e.lacking(k, iam.SourceResource, Certain, why)
	case "session policy":
		c = e.mine(k, CauseKind(access.KindSession), Certain, why)
	case "permissions boundary":
		c = e.mine(k, CauseBoundary, Certain, why)
	case "service control policy":
		c = e.mine(k, CauseServiceControl, Certain, why)
	case "VPC endpoint policy":
		c = e.mine(k, CauseEndpoint, Certain, why)
	default:
		c = e.owned(k, CauseResourceControl, Certain, why)
	}
	if !add {
		c.Statement = nil
	}
	causes := []Cause{c}
	if said.explicit && said.by == "resource-based policy" && k.Kind().Optional() && k.Account != k.Owner {
		causes = append(causes, e.owned(k, CausePublicAccess, Likely, "or the policy is public, and RestrictPublicBuckets keeps other accounts out"))
	}
	return causes
}

// unsaid is what cannot be told apart from outside: both accounts have to allow it, and AWS says of
// neither. That whose other requests fare worse comes first, and in doubt the resource's.
func (e *explainer) unsaid(k *ask) []Cause {
	resource := e.lacking(k, iam.SourceResource, Likely, resourceWhy(k))
	identity := e.lacking(k, iam.SourceIdentity, Likely, "it does not allow the action on this resource, or a Deny in it matches")
	causes := append([]Cause{resource, identity}, e.lackingBehind(k)...)
	if e.failing(k, identitySide) > e.failing(k, resourceSide) {
		causes = append([]Cause{identity, resource}, e.lackingBehind(k)...)
	}
	if k.On == access.AssumedRole && k.Action == access.ActionAssume {
		path, why := "roles."+k.Target+".external_id", "it is not set, and the trust policy asks for one"
		if k.ExternalID {
			why = "it is not the one that the trust policy asks for"
		}
		c := misconfigured(path, why)
		c.Confidence = Likely
		causes = append(causes, c)
	}
	causes = append(causes,
		e.mine(k, CauseServiceControl, Possible, "a service control policy over the account of the principal"),
		e.mine(k, CauseBoundary, Possible, "the permissions boundary of the principal"))
	if k.Kind().Optional() {
		causes = append(causes,
			e.mine(k, CauseEndpoint, Possible, "the policy of the VPC endpoint that requests go through, if they do"),
			e.owned(k, CausePublicAccess, Possible, "RestrictPublicBuckets, if the bucket policy is public"))
	}
	return append(causes, e.owned(k, CauseResourceControl, Possible, "a resource control policy over the account of the resource"))
}

func resourceWhy(k *ask) string {
	switch {
	case k.On == access.AssumedRole && k.ExternalID:
		return "it does not trust " + access.PrincipalName(k.Need) + " with this ExternalId, or there is no such role"
	case k.On == access.AssumedRole:
		return "it does not trust " + access.PrincipalName(k.Need) + ", or there is no such role"
	default:
		return "it does not allow " + access.PrincipalName(k.Need) + " the action, or a Deny in it matches"
	}
}

// Which document of an ask is looked at.
const (
	identitySide = iota
	resourceSide
)

// failing is the share of what a document has to allow that is not proven, of all that was tried.
func (e *explainer) failing(k *ask, of int) float64 {
	same := func(o *ask) bool { return o.Principal == k.Principal && o.Role == k.Role }
	if of == resourceSide {
		same = func(o *ask) bool { return o.Kind() == k.Kind() && o.target() == k.target() }
	}
	tried, failed := 0, 0
	for _, o := range e.evidence.asks {
		if !same(o) || !e.evidence.tried(o) {
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
func (e *explainer) lacking(k *ask, source iam.Source, sure Confidence, why string) Cause {
	c := Cause{Kind: CauseKind(access.KindIdentity), Account: k.Account, Target: k.Principal, Confidence: sure, Why: why}
	if source != iam.SourceIdentity {
		c.Kind, c.Account, c.Target = CauseKind(k.Kind()), k.Owner, k.target()
	}
	c.Side, c.Statement = e.side(c.Account), json.RawMessage(k.Closing(source, []string{k.Action}))
	return c
}

// target is what the resource's own document is put on.
func (k *ask) target() string {
	switch {
	case k.Holder != "" && k.Underlying:
		return k.Holder
	case k.Kind() == access.KindAccessPoint:
		return access.PointOf(k.Resource)
	case k.Kind() == access.KindBucket:
		return arn.BucketOf(k.Resource)
	}
	return k.Resource
}

// lackingBehind is the policy of the bucket behind an access point, which has to allow what the
// access point's does.
func (e *explainer) lackingBehind(k *ask) []Cause {
	for _, n := range e.underlying {
		if k.Kind() == access.KindAccessPoint && n.Role == k.Role && n.Action == k.Action {
			return []Cause{e.lacking(&ask{Need: n}, iam.SourceResource, Likely,
				"the bucket behind the access point has to allow it too, itself or by delegating to the access points of account "+arn.Account(k.Resource))}
		}
	}
	return nil
}

// mine and owned are causes on the principal's and on the resource's side that no statement of ours
// mends.
func (e *explainer) mine(k *ask, kind CauseKind, sure Confidence, why string) Cause {
	return Cause{Kind: kind, Side: e.side(k.Account), Account: k.Account, Target: k.Principal, Confidence: sure, Why: why}
}

func (e *explainer) owned(k *ask, kind CauseKind, sure Confidence, why string) Cause {
	return Cause{Kind: kind, Side: e.side(k.Owner), Account: k.Owner, Target: k.target(), Confidence: sure, Why: why}
}
