package checkpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/checkpoint/turn"
)

// Options tell how a ledger is kept. The zero value of every field but Mapping
// works.
type Options struct {
	Mapping         string           // whose ledger it is: [a-z0-9-], beginning with a letter or digit
	Holder          string           // named to others who want the lease, such as "host/pid"
	Now             func() time.Time // clock, default time.Now
	Logger          *slog.Logger     // told of damage that was survived, default none
	FlushInterval   time.Duration    // Pass.Due after this time, default 10 s
	FlushEntries    int              // Pass.Due when so many changes wait, default 4096
	ChunkEntries    int              // rows a merged chunk aims at, default 1<<20
	UploadBytes     int64            // an upload of so many bytes or more is durable when Slot.UploadBegan returns, default 64 MiB
	Window          int              // slots ahead of the low-water mark, and changes unsaved, at most; default 1<<16
	KeepGenerations int              // generations that stay readable, default 3; fences do not count
	KeepFor         time.Duration    // generations younger than this stay readable too, default none
	Fingerprint     string           // of the settings; a pass that was saved under another one begins again; see SetSettings
	Verified        *Verified        // chunks that need not be read again to see that they are whole; default none
	Encoders        *chunk.Encoders  // that compress the chunks; default the ledger's own
	StartOver       bool             // where no generation is whole, begin with an empty ledger behind the damage
}

func (o Options) withDefaults() (Options, error) {
	if !store.IsSegment(o.Mapping) || strings.ContainsAny(o.Mapping, "._") {
		return o, fmt.Errorf("mapping name %q: want [a-z0-9-], beginning with a letter or digit", o.Mapping)
	}
	if min(o.FlushEntries, o.ChunkEntries, o.Window, o.KeepGenerations) < 0 || min(o.FlushInterval, o.KeepFor) < 0 || o.UploadBytes < 0 {
		return o, fmt.Errorf("ledger of %q: negative option", o.Mapping)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Verified == nil {
		o.Verified = new(Verified)
	}
	if o.Encoders == nil {
		o.Encoders = chunk.NewEncoders()
	}
	if o.FlushInterval == 0 {
		o.FlushInterval = 10 * time.Second
	}
	if o.UploadBytes == 0 {
		o.UploadBytes = 64 << 20
	}
	for _, d := range []struct {
		option *int
		value  int
	}{{&o.FlushEntries, 4096}, {&o.ChunkEntries, 1 << 20}, {&o.Window, 1 << 16}, {&o.KeepGenerations, 3}} {
		if *d.option == 0 {
			*d.option = d.value
		}
	}
	return o, nil
}

// Ledger is one mapping's ledger, opened for writing.
type Ledger struct {
	store   store.Store
	options Options
	log     *slog.Logger
	lease   store.Lease
	nonce   string // in every manifest this ledger writes

	calling    sync.Mutex      // serialises Begin and Close
	settings   record.Settings // of the passes that begin from now on
	pass       *Pass           // last one begun
	superseded error           // why no pass can begin any more
	closed     bool
	past       history // used by one caller at a time; see Enter

	mu          sync.Mutex
	kept        []record.Manifest // committed generations that stay readable, newest first
	newest      int64             // number of the newest manifest, be it damaged or not
	startedOver int64             // with nothing kept: the newest of the generations that are all damaged
}

// Open takes the lease on a mapping's ledger and reads the last generation. Each
// chunk is read once to see that it is whole. When the last generation is
// damaged, Open falls back to the last good one and logs a warning: the work in
// between will be done again. When none is good the error is ErrNothingWhole and
// joins the *CorruptErrors that name the damage, unless Options.StartOver is set.
// A *LeaseHeldError says who else writes. When the lease was taken from a holder
// who did not give it back, Open first makes sure that this one can commit
// nothing any more, and the next pass goes on where that holder's was saved.
func Open(ctx context.Context, store store.Store, o Options) (*Ledger, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	lease, err := store.Acquire(ctx, o.Mapping, o.Holder)
	if err != nil {
		return nil, fmt.Errorf("open ledger in %s: %w", store, err)
	}
	l := &Ledger{store: store, options: o, log: o.Logger, lease: lease, nonce: nonce(), settings: record.Settings{Fingerprint: o.Fingerprint}}
	err = l.load(ctx)
	if err == nil && lease.TakenOver() {
		err = l.fence(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger of %q in %s: %w", o.Mapping, store, err), lease.Release())
	}
	return l, nil
}

// nonce returns 8 characters that no other writer of the mapping has.
func nonce() string { return strings.ToLower(rand.Text()[:8]) }

// base returns the generation the next pass starts from; its number is 0 when
// there is none. The caller holds l.mu.
func (l *Ledger) base() record.Manifest {
	if len(l.kept) == 0 {
		return record.Manifest{StartedOver: l.startedOver}
	}
	return l.kept[0]
}

// Generation returns the number of the last committed generation, 0 for none.
func (l *Ledger) Generation() int64 { return l.Manifest().Generation }

// Entries returns how many rows the last committed generation has.
func (l *Ledger) Entries() int64 { return l.Manifest().Entries }

// Manifest returns the last committed generation's manifest; its Generation is 0
// when there is none.
func (l *Ledger) Manifest() record.Manifest {
	l.mu.Lock()
	defer l.mu.Unlock()
	if base := l.base(); base.Pass != 0 {
		return base
	}
	return record.Manifest{}
}

// leaseAfter is the lease number of a manifest that follows base. A store that counts no leases hands on the last number, so that
// one that does can count on from it when the ledger is moved there.
func (l *Ledger) leaseAfter(base record.Manifest) int64 { return max(l.lease.Number(), base.Lease) }

func (l *Ledger) now() time.Time { return l.options.Now().UTC().Truncate(time.Microsecond) }

// Begin resumes the pass that was interrupted since the last generation, or
// starts a new one. The pass before must have been committed or abandoned, or
// have failed. After ErrSuperseded no pass begins: the ledger is to be closed.
func (l *Ledger) Begin(ctx context.Context) (*Pass, error) {
	l.calling.Lock()
	defer l.calling.Unlock()
	if l.closed {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, store.ErrLeaseLost)
	}
	if l.superseded != nil {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, l.superseded)
	}
	if err := l.finishLast(ctx); err != nil {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, err)
	}
	l.mu.Lock()
	base, newest := l.base(), l.newest
	l.mu.Unlock()
	fresh := record.Progress{
		Version: store.FormatVersion, Mapping: l.options.Mapping, Generation: newest + 1, Base: base.Generation,
		Holder: l.options.Holder, Settings: l.settings, StartedAt: l.now(), Ranges: []record.Range{{}},
	}
	found, err := l.findUnfinished(ctx, base, fresh)
	if err != nil {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, err)
	}
	over, err := readOverlay(ctx, l.store, found.progress.Ranges[0])
	if err != nil {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, err)
	}
	l.pass = l.newPass(base, found, over)
	return l.pass, nil
}

// SetSettings decides under which settings the passes begin from now on. Settle makes them of the last generation's, which are
// zero where there is none, and of the number that the next pass has unless it resumes another; it is called at once.
func (l *Ledger) SetSettings(settle func(last record.Settings, pass int64) record.Settings) {
	l.calling.Lock()
	defer l.calling.Unlock()
	l.mu.Lock()
	last, pass := l.base().Settings, l.newest+1
	l.mu.Unlock()
	l.settings = settle(last, pass)
}

// finishLast makes sure that the last pass is over. After a pass that failed
// only the store knows what became true.
func (l *Ledger) finishLast(ctx context.Context) error {
	if l.pass == nil {
		return nil
	}
	reason := l.pass.failure()
	if reason == nil {
		return fmt.Errorf("pass %d is under way", l.pass.number)
	}
	if err := l.pass.close(); err != nil {
		return err
	}
	if errors.Is(reason, ErrPassEnded) {
		return nil
	}
	if errors.Is(reason, store.ErrSuperseded) {
		l.superseded = reason
		return reason
	}
	return l.reload(ctx, l.pass.number)
}

// reload reads the generations again after a pass that may have committed, and
// refuses to go on from another writer's.
func (l *Ledger) reload(ctx context.Context, pass int64) error {
	l.mu.Lock()
	before := l.newest
	l.mu.Unlock()
	if err := l.load(ctx); err != nil {
		if errors.Is(err, store.ErrSuperseded) {
			l.superseded = err
		}
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	base := l.base()
	if isOwn := base.Writer == l.nonce && base.Generation == pass; l.newest == before || isOwn && l.newest == pass {
		return nil
	}
	l.superseded = fmt.Errorf("%w: generation %d is there", store.ErrSuperseded, l.newest)
	return l.superseded
}

func (l *Ledger) newPass(base record.Manifest, from unfinished, over overlay) *Pass {
	progress := from.progress
	r := progress.Ranges[0]
	p := &Pass{
		reserving: turn.New(), saving: turn.New(), claiming: claiming{turn: turn.New()},
		ledger: l, number: progress.Generation, base: base, start: r.Mark, settled: slices.Clone(r.Chunks), settings: progress.Settings, last: r.Mark,
		resumed: r.Mark != "" || len(r.Ahead) > 0, savedAt: l.options.Now(), savedAheadAt: l.options.Now(), savedMark: r.Mark,
		patience: min(firstPatience, l.options.FlushInterval), overlay: over, claims: claims{inherited: from.claims}, refusal: progress.Refusal,
		keys: chunk.NewWalker[chunk.KeyRow](l.store, base.Chunks, r.Mark), uploads: newUploads(from.uploads, r.Mark),
		saver: saver{
			ledger: l, base: base, progress: progress, seq: from.seq, inherited: r.Ahead, asideBefore: over.asideByKey(),
			writer: chunk.Writer{
				Store: l.store, Mapping: l.options.Mapping, Generation: progress.Generation,
				Nonce: nonce(), MaxRows: int64(l.options.ChunkEntries), Encoders: l.options.Encoders,
			},
		},
	}
	p.saver.rewind()
	p.water.batch.mark, p.water.batch.counts = r.Mark, r.Counts
	return p
}

// Close ends the pass under way without saving, and gives the lease back. It is
// idempotent.
func (l *Ledger) Close() error {
	l.calling.Lock()
	defer l.calling.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	var err error
	if l.pass != nil {
		err = l.pass.close()
	}
	return errors.Join(err, l.lease.Release())
}
