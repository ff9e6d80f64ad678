// Package rename gives a mapping the ledger that it had under its former name.
//
// It takes over only a ledger whose copies were made between the mapping's own source and
// destination. It never replaces a ledger that the mapping already has, and it never changes the
// former ledger. The new ledger appears complete, in a single write.
//
// If the KMS key or storage class also changed, the next pass handles this change in the same way
// as without a rename.
//
// Two terms: the former ledger is the ledger under the mapping's former name, which is read under
// its lease; the mapping's ledger is created from the former ledger.
package rename

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer/provenance"
	"syncd/internal/transfer"
)

// ErrTaken means that the mapping that should take over a ledger already has one.
var ErrTaken = errors.New("the mapping already has a ledger")

// A MisfitError means that a mapping cannot take over a ledger, because the copies in the ledger
// have another source or destination than the mapping.
type MisfitError struct {
	// From is the name of the ledger, and Mapping the name of the mapping.
	From, Mapping string
	// Differs lists the differences, each in the form "source.bucket is a in the ledger and b in
	// the configuration".
	Differs []string
	// Fitting are the names of the ledgers that match the mapping.
	Fitting []string
}

func (e *MisfitError) Error() string {
	return fmt.Sprintf("rename ledger of %q to %q: its copies are not between the mapping's source and destination: %s", e.From, e.Mapping, strings.Join(e.Differs, ", "))
}

// Options describe a rename.
type Options struct {
	// From is the former name of the mapping.
	From string
	// Ledger are the options of the new ledger. They contain the mapping's current name.
	Ledger checkpoint.Options
	// Settings are the settings of the mapping. The former ledger must record copies between the
	// same places.
	Settings provenance.Settings
	// Before is called after all checks and before the new ledger is written. It may be nil.
	Before func(ctx context.Context) error
}

// Ledger creates a mapping's ledger from the ledger of its former name in the same store.
//
// The mapping must not have a ledger yet. Its settings must copy the same objects to the same keys
// as the settings of the former ledger; otherwise the error is a *MisfitError. A different KMS key
// or storage class is allowed, and the next pass handles it. The history of passes is copied. The
// former ledger stays unchanged.
//
// Only entries of copies in the places of the former ledger's last settings are copied. From the
// quarantine, only the records of possible copies are copied. The next pass checks the quarantined
// objects again.
func Ledger(ctx context.Context, store store.Store, o Options) (entries int64, err error) {
	from, to := o.From, o.Ledger
	if from == to.Mapping {
		return 0, fmt.Errorf("rename ledger of %q: the mapping already has this name", from)
	}
	if _, err := record.Latest(ctx, store, from); record.HasNoLedger(err) {
		return 0, fmt.Errorf("rename ledger of %q: %w", from, record.ErrNoCheckpoint) // return before taking the lease, which would create a record
	}
	old, err := checkpoint.Open(ctx, store, checkpoint.Options{Mapping: from, Holder: to.Holder, Now: to.Now, Logger: to.Logger})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	if old.Generation() == 0 {
		return 0, fmt.Errorf("rename ledger of %q: %w", from, record.ErrNoCheckpoint)
	}
	last, ok := provenance.ReadFingerprint(old.Manifest().Fingerprint)
	if !ok {
		return 0, fmt.Errorf("rename ledger of %q: its settings cannot be read", from)
	}
	if err := o.fits(ctx, store, last.Settings); err != nil {
		return 0, err
	}
	since, err := provenance.MemoOf(old.Manifest().Settings)
	if err != nil {
		return 0, fmt.Errorf("rename ledger of %q: %w", from, err)
	}
	ledger, err := checkpoint.Open(ctx, store, to)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	if ledger.Generation() > 0 {
		return 0, fmt.Errorf("rename ledger of %q to %q: %w", from, to.Mapping, ErrTaken)
	}
	ledger.SetSettings(func(record.Settings, int64) record.Settings {
		return provenance.Texts(provenance.Fingerprint{Settings: last.Settings}, provenance.Memo{})
	})
	unfinished, err := old.Begin(ctx)
	if err != nil {
		return 0, err
	}
	if o.Before != nil {
		if err := o.Before(ctx); err != nil {
			return 0, err
		}
	}
	if err := takeHistory(ctx, store, from, ledger); err != nil {
		return 0, err
	}
	return copyLedger(ctx, store, ledger, former{name: from, memo: since, claims: unfinished.Claims()})
}

// takeHistory copies the history of the former name to the new ledger. It ignores a damaged
// history.
func takeHistory(ctx context.Context, state store.Store, from string, to *checkpoint.Ledger) error {
	passes, err := history.Read(ctx, state, from)
	if _, isDamage := errors.AsType[*store.CorruptError](err); isDamage || err == nil && len(passes) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return to.TakeHistory(ctx, passes)
}

// fits returns a *MisfitError if the ledger records copies between other places.
func (o Options) fits(ctx context.Context, store store.Store, last provenance.Settings) error {
	now := provenance.Mapping{Name: o.Ledger.Mapping, Settings: o.Settings, Store: store}
	if last.SameKeys(o.Settings) {
		return nil
	}
	e := &MisfitError{From: o.From, Mapping: now.Name, Differs: differences(last, o.Settings)}
	err := now.Fitting(ctx, func(_ record.Manifest, name string) { e.Fitting = append(e.Fitting, name) })
	return errors.Join(e, err)
}

// differences returns how the places of two settings differ.
func differences(ledger, now provenance.Settings) (all []string) {
	for _, d := range []struct{ name, was, is string }{
		{"source.endpoint_url", ledger.Source.Service(), now.Source.Service()},
		{"source.bucket", ledger.Source.Identity(), now.Source.Identity()},
		{"source.prefix", ledger.Source.Prefix, now.Source.Prefix},
		{"destination.endpoint_url", ledger.Destination.Service(), now.Destination.Service()},
		{"destination.bucket", ledger.Destination.Identity(), now.Destination.Identity()},
		{"destination.prefix", ledger.Destination.Prefix, now.Destination.Prefix},
	} {
		if d.was != d.is {
			all = append(all, fmt.Sprintf("%s is %q in the ledger and %q in the configuration", d.name, d.was, d.is))
		}
	}
	return all
}

// former is the data that is taken over from the former ledger.
type former struct {
	name   string
	memo   provenance.Memo
	claims []record.Claim
}

// copyLedger commits a generation with those entries of the former ledger that concern the places
// of its last settings.
func copyLedger(ctx context.Context, store store.Store, to *checkpoint.Ledger, f former) (entries int64, err error) {
	pass, err := to.Begin(ctx)
	if err != nil {
		return 0, err
	}
	pass.TakeClaims(f.claims)
	nothing := func(func(listing.Object, error) bool) {}
	known := plan.Diff(nothing, checkpoint.Entries(ctx, store, f.name), checkpoint.Quarantine(ctx, store, f.name), plan.Rules{TargetSince: f.memo.TargetSince})
	for _, r := range pass.Open() {
		if err := copyRange(ctx, pass, r, known, f); err != nil {
			return 0, err
		}
	}
	if _, err := pass.Commit(ctx); err != nil {
		return 0, err
	}
	return to.Entries(), nil
}

// copyRange settles the keys of one range. If an earlier rename was interrupted, the new ledger may
// already have rows for some of the keys.
func copyRange(ctx context.Context, pass *checkpoint.Pass, r record.Range, known plan.Actions, f former) error {
	walk, former := pass.Walk(r.After), pass.Finder(ctx, r.After)
	defer former.Close()
	for a, err := range known {
		if err != nil {
			return err
		}
		if !r.Contains(a.Object.Key) {
			continue
		}
		rows, err := former.Find(a.Object.Key)
		if err != nil {
			return err
		}
		slot, err := walk.Reserve(ctx, a.Object.Key, rows)
		if err != nil {
			return err
		}
		f.takeOver(slot, a)
	}
	walk.End(r.Until)
	return nil
}

// entryOf returns the entry of the new ledger for an entry of the former one. The passes of the new ledger
// have other numbers, so that the count of passes that missed the object begins again.
func (f former) entryOf(e record.Entry) record.Entry {
	if e.Pass < f.memo.ClassSince {
		e.Source = transfer.Version{} // so that the object is copied again in the current class
	}
	e.Missed, e.MissedIn = min(e.Missed, 0), 0
	return e
}

// takeOver settles one object with its entry or quarantine row from the former ledger.
func (f former) takeOver(slot *checkpoint.Slot, a plan.Action) {
	switch entry := a.Previous; {
	case a.Unsure:
		slot.Quarantine(*a.SetAside, nil)
	case entry == nil || entry.Pass < f.memo.PlaceSince:
		slot.Drop()
	default:
		slot.Record(f.entryOf(*entry))
	}
}
