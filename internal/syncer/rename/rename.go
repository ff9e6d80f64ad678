// Package rename gives a mapping the ledger that it had under another name.
//
// It promises that only a ledger of copies between the mapping's own places is taken over, that a
// mapping which has a ledger keeps it, and that the former ledger stays as it is. The mapping's
// ledger exists once everything is in it, by one write.
//
// It leaves to the next pass what the new name changes: another key or storage class is handled
// there, as under the same name.
//
// Two words: the former ledger is read, under its lease; the mapping's ledger is the one that is
// made of it.
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

// ErrTaken says that a mapping which should take over a ledger has one of its own.
var ErrTaken = errors.New("the mapping has a ledger of its own")

// A MisfitError refuses the ledger of copies between other places than those of the mapping that
// should take it over.
type MisfitError struct {
	// From is the name of the ledger, and Mapping that of the mapping.
	From, Mapping string
	// Differs says what differs, each as "source.bucket is a in the ledger and b in the
	// configuration".
	Differs []string
	// Fitting are the names of the ledgers that would fit.
	Fitting []string
}

func (e *MisfitError) Error() string {
	return fmt.Sprintf("rename ledger of %q to %q: it is of other copies than those of the mapping: %s", e.From, e.Mapping, strings.Join(e.Differs, ", "))
}

// Options say what is renamed.
type Options struct {
	// From is the former name.
	From string
	// Ledger are the options of the ledger to be, with the mapping's present name.
	Ledger checkpoint.Options
	// Settings are those of the mapping. A ledger of other places does not fit them.
	Settings provenance.Settings
	// Before is called when nothing stands in the way any more, and before there is a ledger; nil
	// does nothing.
	Before func(ctx context.Context) error
}

// Ledger gives a mapping the ledger of another name, in the same store. The mapping must have none,
// and its settings must copy the same objects to the same keys as those of the ledger, else the
// error is a *MisfitError; another key or class is the next pass's business, as it is under the
// same name. The history of passes comes along. The former ledger stays as it is. What it says of
// copies in other places than those of its last settings is left behind, and so is its quarantine,
// but for what that says of copies: the next pass looks at those objects again.
func Ledger(ctx context.Context, store store.Store, o Options) (entries int64, err error) {
	from, to := o.From, o.Ledger
	if from == to.Mapping {
		return 0, fmt.Errorf("rename ledger of %q: that is the present name", from)
	}
	if _, err := record.Latest(ctx, store, from); record.HasNoLedger(err) {
		return 0, fmt.Errorf("rename ledger of %q: %w", from, record.ErrNoCheckpoint) // and no lease is taken, which would leave a trace
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

// takeHistory enters the passes of another name in the history of a ledger. One that is damaged
// stays behind.
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

// fits refuses a ledger of other places.
func (o Options) fits(ctx context.Context, store store.Store, last provenance.Settings) error {
	now := provenance.Mapping{Name: o.Ledger.Mapping, Settings: o.Settings, Store: store}
	if last.SameKeys(o.Settings) {
		return nil
	}
	e := &MisfitError{From: o.From, Mapping: now.Name, Differs: differences(last, o.Settings)}
	err := now.Fitting(ctx, func(_ record.Manifest, name string) { e.Fitting = append(e.Fitting, name) })
	return errors.Join(e, err)
}

// differences says where two settings copy from and to.
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

// former is what is taken over from a ledger.
type former struct {
	name   string
	memo   provenance.Memo
	claims []record.Claim
}

// copyLedger makes a generation of what another ledger knows of the copies in the place of its last
// settings.
func copyLedger(ctx context.Context, store store.Store, to *checkpoint.Ledger, f former) (entries int64, err error) {
	pass, err := to.Begin(ctx)
	if err != nil {
		return 0, err
	}
	pass.TakeClaims(f.claims)
	nothing := func(func(listing.Object, error) bool) {}
	known := plan.Diff(nothing, checkpoint.Entries(ctx, store, f.name), checkpoint.Quarantine(ctx, store, f.name), plan.Rules{TargetSince: f.memo.TargetSince})
	for a, err := range known {
		if err != nil {
			return 0, err
		}
		if a.Object.Key <= pass.Mark() {
			continue
		}
		slot, err := pass.Reserve(ctx, a.Object.Key)
		if err != nil {
			return 0, err
		}
		f.takeOver(slot, a)
	}
	if _, err := pass.Commit(ctx); err != nil {
		return 0, err
	}
	return to.Entries(), nil
}

// takeOver enters what the former ledger knows of one object.
func (f former) takeOver(slot *checkpoint.Slot, a plan.Action) {
	switch entry := a.Previous; {
	case a.Unsure:
		slot.Quarantine(*a.SetAside, nil)
	case entry == nil || entry.Pass < f.memo.PlaceSince:
		slot.Drop()
	case entry.Pass < f.memo.ClassSince:
		entry.Source = transfer.Version{} // so that it is copied into today's class
		slot.Record(*entry)
	default:
		slot.Record(*entry)
	}
}
