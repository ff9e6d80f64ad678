package doctor

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/arn"
	"syncd/internal/awserr"
)

// explainer explains why requests fail.
type explainer struct {
	evidence   *evidence
	owners     []string      // accounts of the mappings' sources
	underlying []access.Need // needs that the policy of the bucket behind an access point must allow
}

// side returns [access.Owner] if a source of the mappings belongs to the account, otherwise
// [access.Consumer].
func (e *explainer) side(account string) access.Side {
	if slices.Contains(e.owners, account) {
		return access.Owner
	}
	return access.Consumer
}

// causes returns the causes of the failed attempt a to use the permission k, most likely first.
func (e *explainer) causes(k *ask, a *attempt) []Cause {
	causes := slices.Clone(a.known)
	switch a.class { //nolint:exhaustive // the other classes suggest no specific fix
	case awserr.Denied:
		if slices.ContainsFunc(causes, func(c Cause) bool { return c.Kind == CauseOwnership && c.Confidence == Certain }) {
			return causes // a policy change would not help
		}
		said := slices.DeleteFunc(e.refusal(k, a), func(c Cause) bool {
			return len(c.Statement) == 0 && slices.ContainsFunc(causes, func(o Cause) bool { return o.Kind == c.Kind && o.Target == c.Target })
		})
		return slices.Concat(e.othersKey(k), causes, said)
	case awserr.KeyDisabled:
		return append(causes, Cause{
			Kind: CauseKeyState, Side: e.side(k.Owner), Account: k.Owner, Target: k.Resource, Confidence: Certain,
			Why: "the key cannot be used: enable it, or cancel its deletion",
		})
	case awserr.NoKey:
		return append(causes, e.noKey(k))
	case awserr.NoBucket:
		path := e.sideOf(k) + ".bucket"
		if k.On == access.StateBucket {
			path = "state"
		}
		return append(causes, misconfigured(path, "there is no such bucket"))
	}
	return append(causes, e.otherwise(k, a)...)
}

// otherwise returns the causes of failures other than access denied.
func (e *explainer) otherwise(k *ask, a *attempt) []Cause {
	if causes := unreached(a); causes != nil {
		return causes
	}
	region, hint := awserr.BucketRegion(a.err), awserr.Hint(a.err)
	switch {
	case errors.Is(a.err, errUnconditional):
		return []Cause{{
			Kind: CauseService, Side: access.Consumer, Confidence: Certain,
			Why: "the service ignores If-Match: a lease would not be exclusive, and copies could overwrite each other",
		}}
	case region != "":
		return []Cause{misconfigured(e.sideOf(k)+".region", "the bucket is in "+region)}
	case a.class == awserr.WrongRegion:
		return []Cause{misconfigured(e.sideOf(k)+".region", "the bucket is in another region")}
	case awserr.IsClock(awserr.Code(a.err), a.err.Error()):
		return []Cause{{Kind: CauseClock, Side: access.Consumer, Confidence: Certain, Why: "the clock of this machine differs from AWS's by more than 15 minutes: set the clock"}}
	case k.On == access.AssumedRole && strings.Contains(a.err.Error(), "MaxSessionDuration"):
		return []Cause{
			misconfigured("roles."+k.Target+".duration", "it exceeds the maximum that the role allows"),
			{
				Kind: CauseRoleSettings, Side: e.side(k.Owner), Account: k.Owner, Target: k.Resource, Confidence: Likely,
				Why: "MaxSessionDuration of the role is shorter than the configured duration: raise MaxSessionDuration",
			},
		}
	case k.On == access.AssumedRole && k.Role == "" && awserr.Code(a.err) != "" && (a.class == awserr.Credentials || a.class == awserr.Expired):
		return []Cause{{Kind: CauseCredentials, Side: access.Consumer, Confidence: Certain, Why: hint}}
	case k.On == access.AssumedRole && a.class != awserr.Transient && a.class != awserr.Throttled:
		return []Cause{misconfigured("roles."+k.Target, cmp.Or(hint, "AWS rejects the request: see the error"))}
	case a.class == awserr.Credentials, a.class == awserr.Expired:
		return []Cause{{Kind: CauseCredentials, Side: access.Consumer, Confidence: Certain, Why: cmp.Or(hint, "the ambient credentials are invalid or have expired: provide new ones")}}
	case a.class.Passes():
		kind := CauseService
		if awserr.IsAway(a.err) {
			kind = CauseNetwork
		}
		return []Cause{{Kind: kind, Side: access.Consumer, Confidence: Likely, Why: cmp.Or(hint, "the service or the network to it fails: check the endpoint and the network, or try again")}}
	}
	return nil
}

// unreached returns the cause if no request reached the service. It returns nil if the service
// answered, or if the failure can be temporary.
func unreached(a *attempt) []Cause {
	c := Cause{Kind: CauseNetwork, Side: access.Consumer, Confidence: Certain}
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

// noKey returns the cause if a KMS key does not exist. For the destination and the state, the ARN
// in the configuration is wrong. For the source, the owner has deleted a key with which objects are
// still encrypted.
func (e *explainer) noKey(k *ask) Cause {
	side, _, _ := strings.Cut(string(k.On), " ")
	if side == "source" {
		return Cause{
			Kind: CauseKeyState, Side: e.side(k.Owner), Account: k.Owner, Target: k.Resource, Confidence: Certain,
			Why: "the key that encrypts the objects no longer exists: the objects cannot be read",
		}
	}
	at := e.evidence.view.Scope(access.Resource(side + " key"))
	return misconfigured(e.sideOf(k)+".kms_key", "KMS has no such key in "+at.Region+": correct the ARN")
}

// othersKey returns the likely cause that the configuration names the wrong key, if the
// destination's key and the destination's bucket belong to different accounts. Otherwise it returns
// nil.
func (e *explainer) othersKey(k *ask) []Cause {
	key, ok := arn.Split(k.Resource)
	account := e.evidence.view.Scope(access.DestinationKey).Account
	if k.On != access.DestinationKey || !ok || account == "" || key.Account == account {
		return nil
	}
	return []Cause{{
		Kind: CauseConfiguration, Side: access.Consumer, Target: e.sideOf(k) + ".kms_key", Confidence: Likely,
		Why: "the key belongs to account " + key.Account + ", but the bucket belongs to account " + account + ": check the ARN",
	}}
}

func misconfigured(path, why string) Cause {
	return Cause{Kind: CauseConfiguration, Side: access.Consumer, Target: path, Confidence: Certain, Why: why}
}

// sideOf returns the configuration path of the section that describes the ask's resource, such as
// mappings.NAME.source.
func (e *explainer) sideOf(k *ask) string {
	side, _, _ := strings.Cut(string(k.On), " ")
	if side == "state" {
		return "checkpoint"
	}
	return "mappings." + e.evidence.view.Mapping.Name + "." + side
}
