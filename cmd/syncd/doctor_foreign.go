package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"syncd/internal/access/doctor"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/printable"
	"syncd/internal/syncer/preview"
)

// occupied is what the destination of a mapping that never had a pass holds under keys that the first pass would write. Its JSON form
// is a contract: docs/cli.md describes it.
type occupied struct {
	Mapping string `json:"mapping"`
	// Compared is the number of objects of the source that were looked for; Complete says that these are all.
	Compared int64 `json:"compared"`
	Complete bool  `json:"complete"`
	// Foreign is the number of those in whose place is an object that can be no copy of it, and Doubtful of those in whose place is
	// one that may be.
	Foreign  int64 `json:"foreign"`
	Doubtful int64 `json:"doubtful"`
	// Error says why they could not be counted, "" where they were.
	Error string `json:"error,omitempty"`
}

// comparedAtMost bounds what the doctor lists of either side: twenty pages. A plan counts all.
const comparedAtMost = 20_000

var errEnough = errors.New("enough was compared")

// countOccupied looks at the destinations of the mappings that pass every check and never had a pass.
func countOccupied(ctx context.Context, p process, f flags, d doctor.Diagnosis) []occupied {
	var all []occupied
	for _, name := range healthy(d) {
		o := occupied{Mapping: name}
		hasLedger, err := o.count(ctx, p, f)
		if err != nil {
			o.Error = err.Error()
		}
		if !hasLedger && (err != nil || o.Foreign+o.Doubtful > 0) {
			all = append(all, o)
		}
	}
	return all
}

// healthy returns the mappings of which no check failed.
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

// count plans the first pass, as far as it takes to count. HasLedger says that there has been a pass.
func (o *occupied) count(ctx context.Context, p process, f flags) (hasLedger bool, err error) {
	f.mappings = []string{o.Mapping}
	s, err := newSystem(ctx, p, f)
	if err != nil {
		return false, err
	}
	if _, err := record.Latest(ctx, s.store, o.Mapping); !errors.Is(err, record.ErrNoCheckpoint) {
		return err == nil, err
	}
	v, err := s.mappings[0].syncer.Preview(ctx, func(preview.Fate) error {
		if o.Compared++; o.Compared == comparedAtMost {
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

func printOccupied(w io.Writer, o occupied) {
	if o.Error != "" {
		printable.Fprintf(w, "%s\n  note     what its destination holds already could not be counted: %s\n", o.Mapping, o.Error)
		return
	}
	part := ""
	if !o.Complete {
		part = fmt.Sprintf(", of the first %d", o.Compared)
	}
	printable.Fprintf(w, "%s\n  note     the destination holds something under the keys of %s%s: %d cannot be copies, %d may be; "+
		"the first pass sets aside as foreign what is no copy\n", o.Mapping, objects(o.Foreign+o.Doubtful), part, o.Foreign, o.Doubtful)
	printable.Fprintf(w, "%sto replace such objects: copy.overwrite: any, or once: syncd backfill --take-over; to see them: syncd plan --list\n", indent)
}
