// Package doctor probes the permissions of mappings with real requests. For each permission that
// fails it reports which documents may be the cause.
//
// [Diagnose] sends the requests, in the order of their dependencies. It leaves no changes: a write
// probe uploads a part to an upload that is then aborted, or has a condition that no object meets.
// [Foresee] lists what Diagnose would probe. If AWS's error message gives the reason for a denial,
// the explanation uses it. Otherwise the explanation is derived from the results of other requests.
//
// Package access determines which permissions are needed, access/policy writes the documents that
// grant them, and package creds provides credentials.
//
// Terms: an ask is a need that requests test. An attempt is a request that the doctor sent, with
// its result and the asks that it tests. The asks and the attempts of a mapping are the evidence
// for judging each permission. A probe is the verdict on one permission, or on another requirement.
package doctor

import (
	"context"
	"fmt"
	"slices"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/creds"
)

// Options selects the mappings to diagnose, and the credentials for the requests.
type Options struct {
	Config *config.Config
	// Mappings lists the mappings to diagnose; empty means all.
	Mappings []string
	// Sessions returns new credentials for a mapping with the given roles. The doctor passes the
	// configured roles, or copies of them without session tags or without a source identity, to
	// find out which part of an AssumeRole request is denied.
	Sessions func(ctx context.Context, m config.Mapping, roles map[string]config.Role) (*creds.Set, error)
}

// Diagnose probes every permission that the mappings need with real requests, in the order of their
// dependencies. For each permission that fails it reports which documents may be the cause. It
// returns an error if it cannot probe anything.
//
// Diagnose leaves no changes. It reads at most the first byte of an object, and does not write or
// delete objects. A write probe uploads a part to an upload that is then aborted, or has a
// condition that no object meets. S3 evaluates such a condition only if the request is allowed. An
// upload that could not be aborted is listed in Leftovers.
func Diagnose(ctx context.Context, o Options) (Diagnosis, error) {
	mappings, err := access.Mappings(o.Config, o.Mappings)
	if err != nil {
		return Diagnosis{}, err
	}
	var d Diagnosis
	for _, m := range mappings {
		x := &examination{options: o, view: access.NewView(o.Config, m)}
		for _, other := range mappings {
			x.owners = append(x.owners, access.OwnersOf(o.Config.Places(other))...)
		}
		found, err := x.run(ctx)
		if err != nil {
			return d, fmt.Errorf("mapping %s: %w", m.Name, err)
		}
		d.Probes = append(d.Probes, found.Probes...)
		d.Leftovers = append(d.Leftovers, found.Leftovers...)
	}
	return d, nil
}

// Foresee returns what [Diagnose] would probe, without sending requests. Each probe has the outcome
// [OutcomeSkipped], except for findings that need no request.
func Foresee(c *config.Config, names []string) (Diagnosis, error) {
	mappings, err := access.Mappings(c, names)
	if err != nil {
		return Diagnosis{}, err
	}
	var d Diagnosis
	for _, m := range mappings {
		for _, n := range access.Needs(c, m) {
			if n.Underlying {
				continue
			}
			probe := probeOf(n)
			probe.Outcome = OutcomeSkipped
			d.Probes = append(d.Probes, probe)
		}
		v := access.NewView(c, m)
		d.Probes = append(d.Probes, slices.Concat(deputyProbes(v), exposedProbes(v))...)
	}
	return d, nil
}
