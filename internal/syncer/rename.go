package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"syncd/internal/checkpoint"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// ErrLedgerTaken says that a mapping which should take over a ledger has one of its own.
var ErrLedgerTaken = errors.New("the mapping has a ledger of its own")

// A MisfitError refuses the ledger of copies between other places than those of the mapping that should take it over.
type MisfitError struct {
	// From is the name of the ledger, and Mapping that of the mapping.
	From, Mapping string
	// Differs says what differs, each as "source.bucket is a in the ledger and b in the configuration".
	Differs []string
	// Fitting are the names of the ledgers that would fit.
	Fitting []string
}

func (e *MisfitError) Error() string {
	return fmt.Sprintf("rename ledger of %q to %q: it is of other copies than those of the mapping: %s", e.From, e.Mapping, strings.Join(e.Differs, ", "))
}

// Renaming is what a ledger is taken over by.
type Renaming struct {
	// From is the former name.
	From string
	// Ledger are the options of the ledger to be, with the mapping's present name.
	Ledger checkpoint.Options
	// Settings are those of the mapping. A ledger of other places does not fit them.
	Settings Settings
	// ServiceOf is as in Options.
	ServiceOf func(endpoint string) string
	// Before is called when nothing stands in the way any more, and before there is a ledger; nil does nothing.
	Before func(ctx context.Context) error
}

// Rename gives a mapping the ledger of another name, in the same store. The mapping must have none, and its settings must copy the same
// objects to the same keys as those of the ledger, else the error is a *MisfitError; another key or class is the next pass's business, as
// it is under the same name. The history of passes comes along. The former ledger stays as it is. What it says of copies in other places than those of its last settings is
// left behind, and so is its quarantine, but for what that says of copies: the next pass looks at those objects again.
func Rename(ctx context.Context, store checkpoint.Store, r Renaming) (entries int64, err error) {
	from, to := r.From, r.Ledger
	if from == to.Mapping {
		return 0, fmt.Errorf("rename ledger of %q: that is the present name", from)
	}
	if _, err := checkpoint.Latest(ctx, store, from); checkpoint.HasNoLedger(err) {
		return 0, fmt.Errorf("rename ledger of %q: %w", from, checkpoint.ErrNoCheckpoint) // and no lease is taken, which would leave a trace
	}
	old, err := checkpoint.Open(ctx, store, checkpoint.Options{Mapping: from, Holder: to.Holder, Now: to.Now, Logger: to.Logger})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	if old.Generation() == 0 {
		return 0, fmt.Errorf("rename ledger of %q: %w", from, checkpoint.ErrNoCheckpoint)
	}
	last, ok := identify(old.Manifest().Fingerprint)
	if !ok {
		return 0, fmt.Errorf("rename ledger of %q: its settings cannot be read", from)
	}
	if err := r.fits(ctx, store, old.Manifest().Fingerprint); err != nil {
		return 0, err
	}
	since, err := recall(cmp.Or(old.Manifest().Memo, old.Manifest().Fingerprint))
	if err != nil {
		return 0, fmt.Errorf("rename ledger of %q: %w", from, err)
	}
	ledger, err := checkpoint.Open(ctx, store, to)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	if ledger.Generation() > 0 {
		return 0, fmt.Errorf("rename ledger of %q to %q: %w", from, to.Mapping, ErrLedgerTaken)
	}
	ledger.SetSettings(func(checkpoint.Settings, int64) checkpoint.Settings {
		return checkpoint.Settings{Fingerprint: text(identity{Settings: last.Settings}), Memo: text(history{})}
	})
	unfinished, err := old.Begin(ctx)
	if err != nil {
		return 0, err
	}
	if r.Before != nil {
		if err := r.Before(ctx); err != nil {
			return 0, err
		}
	}
	if err := takeHistory(ctx, store, from, ledger); err != nil {
		return 0, err
	}
	return copyLedger(ctx, store, ledger, former{name: from, history: since, claims: unfinished.Claims()})
}

// takeHistory enters the passes of another name in the history of a ledger. One that is damaged stays behind.
func takeHistory(ctx context.Context, store checkpoint.Store, from string, to *checkpoint.Ledger) error {
	passes, err := checkpoint.History(ctx, store, from)
	if _, isDamage := errors.AsType[*checkpoint.CorruptError](err); isDamage || err == nil && len(passes) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return to.TakeHistory(ctx, passes)
}

// fits refuses a ledger of other places.
func (r Renaming) fits(ctx context.Context, store checkpoint.Store, fingerprint string) error {
	o := &Options{Mapping: r.Ledger.Mapping, Settings: r.Settings, ServiceOf: r.ServiceOf, Store: store}
	last, _ := o.identify(fingerprint)
	if last.sameKeys(r.Settings) {
		return nil
	}
	e := &MisfitError{From: r.From, Mapping: r.Ledger.Mapping, Differs: differences(last.Settings, r.Settings)}
	err := o.fitting(ctx, func(_ checkpoint.Manifest, name string) { e.Fitting = append(e.Fitting, name) })
	return errors.Join(e, err)
}

// differences says where two settings copy from and to.
func differences(ledger, now Settings) (all []string) {
	for _, d := range []struct{ name, was, is string }{
		{"source.endpoint_url", ledger.Source.Endpoint, now.Source.Endpoint},
		{"source.bucket", ledger.Source.Bucket, now.Source.Bucket},
		{"source.prefix", ledger.Source.Prefix, now.Source.Prefix},
		{"destination.endpoint_url", ledger.Destination.Endpoint, now.Destination.Endpoint},
		{"destination.bucket", ledger.Destination.Bucket, now.Destination.Bucket},
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
	name string
	history
	claims []checkpoint.Claim
}

// copyLedger makes a generation of what another ledger knows of the copies in the place of its last settings.
func copyLedger(ctx context.Context, store checkpoint.Store, to *checkpoint.Ledger, f former) (entries int64, err error) {
	pass, err := to.Begin(ctx)
	if err != nil {
		return 0, err
	}
	pass.TakeClaims(f.claims)
	nothing := func(func(listing.Object, error) bool) {}
	known := plan.Diff(nothing, checkpoint.Entries(ctx, store, f.name), checkpoint.Quarantine(ctx, store, f.name), plan.Rules{TargetSince: f.TargetSince})
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
		f.settle(slot, a)
	}
	if _, err := pass.Commit(ctx); err != nil {
		return 0, err
	}
	return to.Entries(), nil
}

func (f former) settle(slot *checkpoint.Slot, a plan.Action) {
	switch entry := a.Previous; {
	case a.Unsure:
		slot.Quarantine(*a.SetAside, nil)
	case entry == nil || entry.Pass < f.PlaceSince:
		slot.Drop()
	case entry.Pass < f.ClassSince:
		entry.Source = transfer.Version{} // so that it is copied into today's class
		slot.Record(*entry)
	default:
		slot.Record(*entry)
	}
}

// offerFormer looks for the ledger of a mapping that copied between the same places under another name, where this one has
// none, and says how to take it over.
func (s *Syncer) offerFormer(ctx context.Context) error {
	return s.o.fitting(ctx, func(last checkpoint.Manifest, name string) {
		s.o.Logger.Warn("a ledger of another name fits this mapping; take it over with syncd ledger rename", "from", name, "entries", last.Entries)
	})
}

// fitting calls found with the last generation of each other ledger that is of copies between the mapping's places. One that cannot be
// read is none.
func (o *Options) fitting(ctx context.Context, found func(last checkpoint.Manifest, name string)) error {
	names, err := checkpoint.Mappings(ctx, o.Store)
	if err != nil {
		return err
	}
	for _, name := range names {
		last, err := checkpoint.Latest(ctx, o.Store, name)
		if err != nil || name == o.Mapping {
			continue
		}
		if former, ok := o.identify(last.Fingerprint); ok && former.sameKeys(o.Settings) {
			found(last, name)
		}
	}
	return nil
}
