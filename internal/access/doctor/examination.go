package doctor

import (
	"context"
	"slices"

	"syncd/internal/access"
)

// examination is the diagnosis of one mapping.
type examination struct {
	options Options
	view    access.View
	owners  []string // accounts of the mappings' sources
}

// run sends all requests for the mapping and returns its diagnosis.
func (x *examination) run(ctx context.Context) (Diagnosis, error) {
	roles := x.view.Config.AssumedRoles(x.view.Mapping)
	set, err := x.options.Sessions(ctx, x.view.Mapping, roles)
	if err != nil {
		return Diagnosis{}, err
	}
	found := &evidence{view: x.view, blocked: map[string]string{}}
	explain := &explainer{evidence: found, owners: x.owners}
	for _, n := range access.Needs(x.view.Config, x.view.Mapping) {
		if n.Underlying {
			explain.underlying = append(explain.underlying, n)
			continue
		}
		found.asks = append(found.asks, &ask{Need: n})
	}
	p := &prober{View: x.view, evidence: found, explain: explain, set: set}
	identities := (&roleProber{prober: p, sessions: x.options.Sessions, assumed: roles}).probeRoles(ctx)
	if err := p.probeBuckets(ctx); err != nil {
		return Diagnosis{}, err
	}
	mapping := x.view.Mapping.Name
	result := (&judge{evidence: found, explain: explain}).result(identities)
	return Diagnosis{
		Probes:    slices.Concat(result, deputyProbes(x.view), exposedProbes(x.view), foundProbes(mapping, set), clockProbes(mapping, set)),
		Leftovers: found.leftovers,
	}, ctx.Err()
}

// probeBuckets probes the source, the destination and the state.
func (p *prober) probeBuckets(ctx context.Context) error {
	samples, err := (&sourceProber{prober: p}).probeSource(ctx)
	if err == nil {
		err = (&destinationProber{prober: p, samples: samples}).probeDestination(ctx)
	}
	if err == nil {
		err = p.probeState(ctx)
	}
	return err
}
