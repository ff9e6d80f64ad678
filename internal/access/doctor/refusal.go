package doctor

import (
	"encoding/json"
	"strings"

	"syncd/internal/access"
	"syncd/internal/arn"
	"syncd/internal/iam"
)

// refusal returns the causes of a denial. If AWS gives a reason, the causes follow from it.
func (e *explainer) refusal(k *ask, a *attempt) []Cause {
	said := a.said
	switch {
	case said.public:
		return []Cause{e.resourceCause(k, CausePublicAccess, Certain, "Block Public Access of the bucket denies other accounts while the bucket policy is public")}
	case said.hidden:
		return []Cause{
			e.lacking(k, iam.SourceResource, Likely, "the key policy does not allow the action, or denies it"),
			e.wrongLocation(k, "the key does not exist in this region"),
			e.resourceCause(k, CauseResourceControl, Possible, "a resource control policy for the key denies it"),
		}
	case said.by != "":
		return e.stated(k, said)
	case strings.Contains(a.err.Error(), "cross-region"):
		return []Cause{e.resourceCause(k, CauseEndpoint, Certain, "a gateway VPC endpoint does not support copies between regions: use copy.mode relay, or a route that avoids the endpoint")}
	}
	return e.unstated(k)
}

// wrongLocation returns the cause that the key or the region in the configuration is wrong. KMS
// returns the same message for a missing key as for a denial by the key policy.
func (e *explainer) wrongLocation(k *ask, why string) Cause {
	path := e.sideOf(k) + ".kms_key"
	if k.On == access.SourceKey {
		path = e.sideOf(k) + ".region"
	}
	c := misconfigured(path, why)
	c.Confidence = Possible
	return c
}

// stated returns the cause that AWS names. If it is a Deny statement, that statement must be
// narrowed; adding a statement does not help.
func (e *explainer) stated(k *ask, said reason) []Cause {
	why, add := "AWS reports that it does not allow the action", true
	if said.explicit {
		why, add = "AWS reports that a Deny in it matches: narrow it, or exempt "+access.PrincipalName(k.Need)+" in its condition", false
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
		c = e.principalCause(k, CauseKind(access.KindSession), Certain, why)
	case "permissions boundary":
		c = e.principalCause(k, CauseBoundary, Certain, why)
	case "service control policy":
		c = e.principalCause(k, CauseServiceControl, Certain, why)
	case "VPC endpoint policy":
		c = e.principalCause(k, CauseEndpoint, Certain, why)
	default:
		c = e.resourceCause(k, CauseResourceControl, Certain, why)
	}
	if !add {
		c.Statement = nil
	}
	causes := []Cause{c}
	if said.explicit && said.by == "resource-based policy" && k.Kind().Optional() && k.Account != k.Owner {
		causes = append(causes, e.resourceCause(k, CausePublicAccess, Likely, "the policy is public, and RestrictPublicBuckets denies other accounts"))
	}
	return causes
}

// unstated returns the possible causes if AWS gives no reason. The accounts of the principal and of
// the resource must both allow the request, so the cause can be in either. The cause for the
// document with the larger share of failed permissions comes first. If the shares are equal, the
// cause for the resource's document comes first.
func (e *explainer) unstated(k *ask) []Cause {
	resource := e.lacking(k, iam.SourceResource, Likely, resourceWhy(k))
	identity := e.lacking(k, iam.SourceIdentity, Likely, "it does not allow the action on this resource, or a Deny in it matches")
	causes := append([]Cause{resource, identity}, e.lackingBehind(k)...)
	if e.failing(k, identitySide) > e.failing(k, resourceSide) {
		causes = append([]Cause{identity, resource}, e.lackingBehind(k)...)
	}
	if k.On == access.AssumedRole && k.Action == access.ActionAssume {
		path, why := "roles."+k.Target+".external_id", "it is not set, but the trust policy may require an ExternalId"
		if k.ExternalID {
			why = "it may differ from the ExternalId that the trust policy requires"
		}
		c := misconfigured(path, why)
		c.Confidence = Likely
		causes = append(causes, c)
	}
	causes = append(causes,
		e.principalCause(k, CauseServiceControl, Possible, "a service control policy for the principal's account"),
		e.principalCause(k, CauseBoundary, Possible, "the permissions boundary of the principal"))
	if k.Kind().Optional() {
		causes = append(causes,
			e.principalCause(k, CauseEndpoint, Possible, "the policy of the VPC endpoint, if requests use one"),
			e.resourceCause(k, CausePublicAccess, Possible, "RestrictPublicBuckets, if the bucket policy is public"))
	}
	return append(causes, e.resourceCause(k, CauseResourceControl, Possible, "a resource control policy for the resource's account"))
}

func resourceWhy(k *ask) string {
	switch {
	case k.On == access.AssumedRole && k.ExternalID:
		return "it does not trust " + access.PrincipalName(k.Need) + " with this ExternalId, or the role does not exist"
	case k.On == access.AssumedRole:
		return "it does not trust " + access.PrincipalName(k.Need) + ", or the role does not exist"
	default:
		return "it does not allow " + access.PrincipalName(k.Need) + " to perform the action, or a Deny in it matches"
	}
}

// The values of failing's parameter of: the identity policy of the principal, or the policy of the
// resource.
const (
	identitySide = iota
	resourceSide
)

// failing returns the share, from 0 to 1, of asks that are not proven. It counts the tried asks
// that depend on one document: on the identity policy of k's principal if of is identitySide, on
// the policy of k's resource if of is resourceSide.
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

// lacking returns the cause that a document does not allow the action, with the statement that
// would allow it.
func (e *explainer) lacking(k *ask, source iam.Source, sure Confidence, why string) Cause {
	c := Cause{Kind: CauseKind(access.KindIdentity), Account: k.Account, Target: k.Principal, Confidence: sure, Why: why}
	if source != iam.SourceIdentity {
		c.Kind, c.Account, c.Target = CauseKind(k.Kind()), k.Owner, k.target()
	}
	c.Side, c.Statement = e.side(c.Account), json.RawMessage(k.Closing(source, []string{k.Action}))
	return c
}

// target returns what the policy of the ask's resource applies to: the name of a bucket, a
// description of an unknown bucket, or the ARN of an access point, key or role.
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

// lackingBehind returns the cause that the policy of the bucket behind an access point does not
// allow the action. Both this policy and the access point policy must allow a request.
func (e *explainer) lackingBehind(k *ask) []Cause {
	for _, n := range e.underlying {
		if k.Kind() == access.KindAccessPoint && n.Role == k.Role && n.Action == k.Action {
			return []Cause{e.lacking(&ask{Need: n}, iam.SourceResource, Likely,
				"the bucket behind the access point must allow it too, directly or by delegating to the access points of account "+arn.Account(k.Resource))}
		}
	}
	return nil
}

// principalCause returns a cause that the principal's account must fix, and resourceCause a cause
// that the resource's account must fix. These causes suggest no statement to add.
func (e *explainer) principalCause(k *ask, kind CauseKind, sure Confidence, why string) Cause {
	return Cause{Kind: kind, Side: e.side(k.Account), Account: k.Account, Target: k.Principal, Confidence: sure, Why: why}
}

func (e *explainer) resourceCause(k *ask, kind CauseKind, sure Confidence, why string) Cause {
	return Cause{Kind: kind, Side: e.side(k.Owner), Account: k.Owner, Target: k.target(), Confidence: sure, Why: why}
}
