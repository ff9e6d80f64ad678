package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/arn"
	"syncd/internal/awserr"
	"syncd/internal/creds"
)

// roleProber probes how the roles of a mapping are assumed.
type roleProber struct {
	*prober
	sessions func(ctx context.Context, m config.Mapping, roles map[string]config.Role) (*creds.Set, error)
	assumed  map[string]config.Role // the roles, with the endpoints used to assume them
	probes   []Probe                // probes for the ambient credentials
}

// probeRoles identifies the ambient credentials and assumes the roles, hop by hop. It returns the
// probes for the credentials, and records the results for the roles in the evidence.
func (p *roleProber) probeRoles(ctx context.Context) []Probe {
	// A session keeps the region of its first use. The loop therefore uses the sessions in the
	// order in which a pass uses them, before any probe does.
	for _, at := range [][2]string{{p.Mapping.Source.Role, p.Mapping.Source.Region}, {p.Mapping.Destination.Role, p.Mapping.Destination.Region}} {
		if _, err := p.set.Config(at[0], at[1]); err != nil {
			p.blocked[at[0]] = err.Error()
		}
	}
	p.probeIdentities(ctx)
	for _, name := range p.Roles() {
		via := p.Config.Roles[name].Via
		if p.blocked[via] != "" {
			p.blocked[name] = cmp.Or(p.blocked[name], "the role or the credentials that assume role "+name+" do not work")
			continue
		}
		p.probeHop(ctx, name)
	}
	return p.probes
}

// stsAddress is an STS endpoint, "" for AWS, and its region.
type stsAddress struct{ endpoint, region string }

// identityAddresses returns the distinct STS addresses that can identify the ambient credentials.
// If the source, the destination or the state has no role, the address is that of the STS at the
// endpoint of that source, destination or state. If it has a role, the address is that of the STS
// at which the first role of its chain is assumed.
func (p *roleProber) identityAddresses() (addresses []stsAddress) {
	add := func(endpoint, region string) {
		if !slices.ContainsFunc(addresses, func(a stsAddress) bool { return a.endpoint == endpoint }) {
			addresses = append(addresses, stsAddress{endpoint, region})
		}
	}
	for _, s := range p.Config.Sides(p.Mapping) {
		if s.Role == "" {
			add(p.Config.STSEndpoint(s.EndpointURL), s.Region)
			continue
		}
		first := p.assumed[p.Config.Chain(s.Role)[0]]
		add(cmp.Or(first.EndpointURL, p.Config.STSEndpoint("")), cmp.Or(first.Region, s.Region))
	}
	return addresses
}

// identityEndpoint returns the STS endpoint that can identify the ambient credentials used for an
// ask.
func (p *roleProber) identityEndpoint(k *ask) string {
	if k.On == access.AssumedRole {
		return cmp.Or(p.assumed[k.Target].EndpointURL, p.Config.STSEndpoint(""))
	}
	endpoint := p.Config.Checkpoint.EndpointURL
	switch side, _, _ := strings.Cut(string(k.On), " "); side {
	case "source":
		endpoint = p.Mapping.Source.EndpointURL
	case "destination":
		endpoint = p.Mapping.Destination.EndpointURL
	}
	return p.Config.STSEndpoint(endpoint)
}

// probeIdentities requests the identity of the ambient credentials from STS. The request needs no
// permission (AWS STS API Reference, GetCallerIdentity). A failure does not stop the other probes,
// unless there are no credentials.
func (p *roleProber) probeIdentities(ctx context.Context) {
	if err := assume(ctx, p.set, "", p.Mapping.Source.Region); err != nil { // assume has its own deadline, with a better error message
		p.blocked[""] = "there are no ambient credentials"
		// One probe is enough: requests to the other addresses would fail just as slowly.
		if addresses := p.identityAddresses(); len(addresses) > 0 {
			p.identityFailed(p.identityProbe(addresses[0]), addresses[0], err)
		}
		return
	}
	for _, at := range p.identityAddresses() {
		p.probeIdentity(ctx, at)
	}
}

// identityProbe returns the probe for the identity of the ambient credentials.
func (p *roleProber) identityProbe(at stsAddress) Probe {
	probe := Probe{Mapping: p.Mapping.Name, Feature: FeatureCredentials, Action: "sts:GetCallerIdentity", Request: "GetCallerIdentity", Outcome: OutcomeOK}
	if at.endpoint != p.Config.STSEndpoint("") {
		probe.Resource = cmp.Or(at.endpoint, "AWS")
	}
	return probe
}

func (p *roleProber) probeIdentity(ctx context.Context, at stsAddress) {
	probe := p.identityProbe(at)
	var out *sts.GetCallerIdentityOutput
	err := bounded(ctx, func(ctx context.Context) (err error) {
		out, err = p.callerIdentity(ctx, at)
		return err
	})
	if err != nil {
		p.identityFailed(probe, at, err)
		return
	}
	probe.Principal = principalARN(aws.ToString(out.Arn))
	p.probes = append(p.probes, probe)
	for _, k := range p.asks {
		if k.Role == "" && p.identityEndpoint(k) == at.endpoint {
			k.Principal, k.Account = probe.Principal, aws.ToString(out.Account)
		}
	}
}

// identityFailed records that the identity of the ambient credentials is unknown. For services
// other than AWS this is not a failure, because many of them have no STS.
func (p *roleProber) identityFailed(probe Probe, at stsAddress, err error) {
	a := &attempt{err: err, class: awserr.Classify(err)}
	probe.Outcome, probe.Error = OutcomeFailed, awserr.Brief(err)
	_, isAnswered := errors.AsType[*awserr.ForeignError](err) // a service other than AWS answered; it may not support the request
	switch {
	case at.endpoint != "" && p.blocked[""] == "" && !a.dead() && (isAnswered || !awserr.IsAway(err)):
		probe.Outcome = OutcomeUnknown
		probe.Error = "the service does not report the identity of the credentials, and may have no STS: " + probe.Error
	case a.class == awserr.Denied:
		probe.Outcome = OutcomeUnknown
	default:
		probe.Causes = p.explain.causes(&ask{}, a)
	}
	p.doubted = p.doubted || a.dead()
	p.probes = append(p.probes, probe)
}

func (p *roleProber) callerIdentity(ctx context.Context, at stsAddress) (*sts.GetCallerIdentityOutput, error) {
	session, err := p.set.Config("", at.region)
	if err != nil {
		return nil, err
	}
	client := sts.NewFromConfig(session, func(o *sts.Options) {
		if at.endpoint != "" {
			o.BaseEndpoint = &at.endpoint
		}
		o.RetryMaxAttempts = probeAttempts
	})
	return client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
}

// principalARN returns the ARN by which policies name a caller. For a role session that is the ARN
// of the role, but without the role's path, because the ARN of a session does not contain the path.
func principalARN(caller string) string {
	if role, ok := arn.RoleOf(caller); ok {
		return role
	}
	return caller
}

// probeHop assumes one role with all its configured settings and records the result. If the request
// is denied, it searches for the setting that is the cause.
func (p *roleProber) probeHop(ctx context.Context, name string) {
	var asks []*ask
	for _, k := range p.asks {
		if k.Target == name {
			asks = append(asks, k)
		}
	}
	a := p.try(ctx, "AssumeRole", func(ctx context.Context) error { return assume(ctx, p.set, name, p.Mapping.Source.Region) }, asks...)
	if a.err == nil {
		return
	}
	p.blocked[name] = "role " + name + " cannot be assumed"
	if a.class == awserr.Denied && (a.said.action == "" || a.said.action == access.ActionAssume) {
		a.known = p.probeReduced(ctx, name)
	}
}

func assume(ctx context.Context, set *creds.Set, name, region string) error {
	at, err := set.Config(name, region)
	if err == nil {
		_, err = at.Credentials.Retrieve(ctx)
	}
	return err
}

// probeReduced tries to assume a denied role without session tags, then without a source identity.
// If one of these attempts succeeds, a condition on the omitted setting is the cause of the denial.
// probeReduced discards a session that such an attempt starts.
func (p *roleProber) probeReduced(ctx context.Context, name string) []Cause {
	role := p.assumed[name]
	for _, less := range []struct {
		what string
		of   bool
		drop func(*config.Role)
	}{
		{"session tags", len(role.Tags) > 0, func(r *config.Role) { r.Tags, r.TransitiveTags = nil, nil }},
		{"source identity", role.SourceIdentity != "", func(r *config.Role) { r.SourceIdentity = "" }},
	} {
		if !less.of {
			continue
		}
		lesser := role
		less.drop(&lesser)
		roles := maps.Clone(p.assumed)
		roles[name] = lesser
		set, err := p.sessions(ctx, p.Mapping, roles)
		if err == nil && bounded(ctx, func(ctx context.Context) error { return assume(ctx, set, name, p.Mapping.Source.Region) }) == nil {
			return []Cause{{
				Kind: CauseKind(access.KindTrust), Side: p.explain.side(arn.Account(role.ARN)), Account: arn.Account(role.ARN), Target: role.ARN, Confidence: Certain,
				Why: fmt.Sprintf("the role can be assumed without the %s: a condition on this setting does not match, in the trust policy or in the caller's identity policy", less.what),
			}}
		}
	}
	return nil
}
