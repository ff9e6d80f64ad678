// Package doctor tries the permissions of mappings with real requests, and says of each that fails
// which documents may be the cause.
//
// It promises to change nothing that anybody could see: writes go into an upload that is aborted,
// or carry a condition that cannot hold. [Diagnose] sends the requests, in the order in which they
// depend on each other; [Foresee] lists what it would try. A refusal is explained by the words of
// AWS where it gives any, otherwise by what the other requests have shown.
//
// It leaves to others what is needed (package access), the documents that grant it (access/policy),
// and credentials (package creds).
//
// Words to know: an ask is a need as requests meet it, an attempt a request with all that it asks
// for; both are the evidence by which each permission is judged. A probe is the verdict on one
// permission, or on one other thing that must hold.
package doctor

import (
	"context"
	"fmt"
	"slices"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/creds"
)

// Options say what is to be diagnosed, and with which credentials.
type Options struct {
	Config *config.Config
	// Mappings are the names of the mappings to look at; none means all.
	Mappings []string
	// Sessions returns fresh credentials for a mapping whose roles are these: those of the
	// configuration, or some of them with less asked of a session, to find out what is refused.
	Sessions func(ctx context.Context, m config.Mapping, roles map[string]config.Role) (*creds.Set, error)
}

// Diagnose tries every permission that the mappings need with real requests, in the order in which
// they depend on each other, and says of each that fails which documents may be the cause. An error
// means that nothing could be tried at all.
//
// Nothing is changed that anybody could see. No object is read beyond its first byte, written or
// deleted: writes go into an upload that is aborted, or carry a condition that cannot hold, which
// S3 looks at only once the request is allowed. An upload that could not be aborted is told in
// Leftovers.
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

// Foresee returns what [Diagnose] would check, without a request: every check is skipped. What
// needs no request is told.
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
