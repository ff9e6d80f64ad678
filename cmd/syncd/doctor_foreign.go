package main

import (
	"context"
	"errors"
	"slices"

	"syncd/internal/access/doctor"
	"syncd/internal/assembly"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/invocation"
	"syncd/internal/report"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/preview"
)

// maxCompared limits how many objects the doctor lists on each side: 20 pages of 1,000. `syncd
// plan` has no such limit.
const maxCompared = 20_000

var errEnough = errors.New("compared enough objects")

// countOccupied counts the objects that already exist at the destinations of mappings that passed
// every check and have never run a pass.
func countOccupied(ctx context.Context, p invocation.Process, f invocation.Flags, d doctor.Diagnosis) []report.Occupied {
	var all []report.Occupied
	for _, name := range healthy(d) {
		o := report.Occupied{Mapping: name}
		hasLedger, err := countIn(ctx, p, f, &o)
		if err != nil {
			o.Error = err.Error()
		}
		if !hasLedger && (err != nil || o.Foreign+o.Doubtful > 0) {
			all = append(all, o)
		}
	}
	return all
}

// healthy returns the mappings without a failed check.
func healthy(d doctor.Diagnosis) []string {
	var names, sick []string
	for _, probe := range d.Probes {
		if probe.Bad() {
			sick = append(sick, probe.Mapping)
		}
		if !slices.Contains(names, probe.Mapping) {
			names = append(names, probe.Mapping)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" || slices.Contains(sick, name) })
}

// countIn plans the first pass, up to maxCompared objects, and adds its counts to o. hasLedger is
// true if the mapping has already run a pass; nothing is counted then.
func countIn(ctx context.Context, p invocation.Process, f invocation.Flags, o *report.Occupied) (hasLedger bool, err error) {
	f.Mappings = []string{o.Mapping}
	s, err := assembly.New(ctx, p, f)
	if err != nil {
		return false, err
	}
	if _, err := record.Latest(ctx, s.Store, o.Mapping); !errors.Is(err, record.ErrNoCheckpoint) {
		return err == nil, err
	}
	v, err := s.Mappings[0].Syncer.Preview(ctx, planner.InKeyOrder, func(preview.Fate) error {
		if o.Compared++; o.Compared == maxCompared {
			return errEnough
		}
		return nil
	})
	o.Complete, o.Foreign, o.Doubtful = err == nil, v.Refused[copier.Reason(copier.ErrForeign)], v.Doubtful.Objects
	if errors.Is(err, errEnough) {
		err = nil
	}
	return false, err
}
