package checkpoint_test

import (
	"context"
	"iter"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
)

// solo is a pass that walks its keys in one range, in ascending order.
type solo struct {
	*checkpoint.Pass
	walk *checkpoint.Walk
	mark string                 // the pass resumes after this key
	rows map[string]record.Rows // nil until they are read
}

// lastKey is above every key that a test uses.
const lastKey = "\xff\xff"

// beginSolo begins a pass of the ledger.
func beginSolo(ctx context.Context, ledger *checkpoint.Ledger) (*solo, error) {
	pass, err := ledger.Begin(ctx)
	if err != nil {
		return nil, err
	}
	s := &solo{Pass: pass, mark: lastKey}
	if open := pass.Open(); len(open) > 0 {
		s.mark = open[0].After
		s.walk = pass.Walk(s.mark)
	}
	return s, nil
}

// Mark returns the key after which the pass resumes.
func (s *solo) Mark() string { return s.mark }

// LowWater returns the last key at or below which every key is settled.
func (s *solo) LowWater() string {
	settled := s.Settled()
	switch {
	case len(settled) == 0:
		return ""
	case settled[0].Until == "":
		return lastKey
	}
	return settled[0].Until
}

func (s *solo) Previous(ctx context.Context) iter.Seq2[record.Entry, error] {
	return s.Pass.Previous(ctx, s.mark)
}

func (s *solo) PreviousQuarantine(ctx context.Context) iter.Seq2[record.Quarantined, error] {
	return s.Pass.PreviousQuarantine(ctx, s.mark)
}

// Reserve reserves a key with the rows that the ledger has for it.
func (s *solo) Reserve(ctx context.Context, key string) (*checkpoint.Slot, error) {
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	return s.walk.Reserve(ctx, key, s.rows[key])
}

func (s *solo) read(ctx context.Context) error {
	if s.rows != nil {
		return nil
	}
	rows := map[string]record.Rows{}
	for e, err := range s.Previous(ctx) {
		if err != nil {
			return err
		}
		rows[e.Key] = record.Rows{Entry: &e}
	}
	for q, err := range s.PreviousQuarantine(ctx) {
		if err != nil {
			return err
		}
		rows[q.Key] = record.Rows{Entry: rows[q.Key].Entry, Quarantined: &q}
	}
	s.rows = rows
	return nil
}

// Commit ends the walk and commits the pass.
func (s *solo) Commit(ctx context.Context) (int64, error) {
	if s.walk != nil {
		s.walk.End("")
	}
	return s.Pass.Commit(ctx)
}
