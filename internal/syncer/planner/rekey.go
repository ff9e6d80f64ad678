package planner

import (
	"context"
	"fmt"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/plan"
	"syncd/internal/syncer/provenance"
)

// RekeyError means that the configured KMS key differs from the key of the copies. It contains the
// number and size of the objects that a pass would copy again.
type RekeyError struct {
	// From is the key of the copies, and To the configured key.
	From, To string
	// Objects is the number of copies under another key, and Bytes their size.
	Objects, Bytes int64
}

// Error returns a message with the change and its cost.
func (e *RekeyError) Error() string {
	each := plan.NewQuoter(plan.Terms{}).Request("CopyObject")
	return fmt.Sprintf("kms_key changed from %s to %s: a pass would copy %d objects (%d bytes) again, at about $%.2f for requests to S3 and KMS",
		e.From, e.To, e.Objects, e.Bytes, float64(e.Objects)*each)
}

// refuseNewKey returns a *RekeyError if the last generation was copied under another key. It reads
// and counts the entries only if it returns that error. An interrupted pass under the new key was
// allowed when it started, so it can be resumed.
func refuseNewKey(ctx context.Context, m provenance.Mapping, last provenance.Generation, placeSince int64) error {
	if !last.IsKnown || last.KeyARN == m.Settings.KeyARN {
		return nil
	}
	if isAllowed, err := resumesToday(ctx, m); isAllowed || err != nil {
		return err
	}
	refusal := &RekeyError{From: last.KeyARN, To: m.Settings.KeyARN}
	for entry, err := range checkpoint.Entries(ctx, m.Store, m.Name) {
		if err != nil {
			return fmt.Errorf("count copies under the former key: %w", err)
		}
		if entry.Pass >= placeSince && !plan.SameKey(entry.KeyARN, m.Settings.KeyARN) {
			refusal.Objects++
			refusal.Bytes += entry.Source.Size
		}
	}
	if refusal.Objects == 0 {
		return nil
	}
	return refusal
}

// resumesToday reports whether the ledger has an unfinished pass over the source with the current
// settings.
func resumesToday(ctx context.Context, m provenance.Mapping) (bool, error) {
	progress, ok, err := record.Unfinished(ctx, m.Store, m.Name)
	if err != nil {
		return false, fmt.Errorf("look for an unfinished pass: %w", err)
	}
	f, isKnown := provenance.ReadFingerprint(progress.Fingerprint)
	return ok && isKnown && f.Replay == 0 && f.Same(m.Settings), nil
}
