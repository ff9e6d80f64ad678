package checkpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/parquet-go/parquet-go/compress/zstd"
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
	Window          int              // slots ahead of the low-water mark, and changes unsaved, at most; default 1<<16
	KeepGenerations int              // generations that stay readable, default 3
}

func (o Options) withDefaults() (Options, error) {
	if isNoSegment(o.Mapping) || strings.ContainsAny(o.Mapping, "._") {
		return o, fmt.Errorf("mapping name %q: want [a-z0-9-], beginning with a letter or digit", o.Mapping)
	}
	if min(o.FlushEntries, o.ChunkEntries, o.Window, o.KeepGenerations) < 0 || o.FlushInterval < 0 {
		return o, fmt.Errorf("ledger of %q: negative option", o.Mapping)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FlushInterval == 0 {
		o.FlushInterval = 10 * time.Second
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
	store   Store
	options Options
	log     *slog.Logger
	lease   Lease
	nonce   string

	calling sync.Mutex // serialises Begin and Close
	pass    *Pass      // last one begun
	closed  bool

	mu     sync.Mutex
	kept   []Manifest // committed generations that stay readable, newest first
	newest int64      // number of the newest manifest, be it damaged or not
}

// Open takes the lease on a mapping's ledger and reads the last generation. Each
// chunk is read once to see that it is whole. When the last generation is
// damaged, Open falls back to the last good one and logs a warning: the work in
// between will be done again. When none is good the error is, or joins, the
// *CorruptErrors that name the damage. A *LeaseHeldError says who else writes.
func Open(ctx context.Context, store Store, o Options) (*Ledger, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	lease, err := store.Acquire(ctx, o.Mapping, o.Holder)
	if err != nil {
		return nil, fmt.Errorf("open ledger in %s: %w", store, err)
	}
	l := &Ledger{store: store, options: o, log: o.Logger, lease: lease, nonce: nonce()}
	if err := l.load(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger of %q in %s: %w", o.Mapping, store, err), lease.Release())
	}
	return l, nil
}

// nonce returns 8 characters that no other writer of the mapping has.
func nonce() string { return strings.ToLower(rand.Text()[:8]) }

// load reads the generations that are kept, newest first.
func (l *Ledger) load(ctx context.Context) error {
	numbers, err := manifestNumbers(ctx, l.store, l.options.Mapping)
	if err != nil {
		return err
	}
	var kept []Manifest
	var damage []error
	for _, n := range numbers {
		m, err := readManifest(ctx, l.store, l.options.Mapping, n)
		if err == nil && len(kept) == 0 {
			err = l.verify(ctx, m.Chunks, m.QuarantineChunks)
		}
		if _, isDamage := errors.AsType[*CorruptError](err); isDamage {
			l.log.Warn("generation was damaged", "mapping", l.options.Mapping, "generation", n, "err", err)
			damage = append(damage, err)
			continue
		}
		if err != nil {
			return err
		}
		if kept = append(kept, m); len(kept) == l.options.KeepGenerations {
			break
		}
	}
	if len(kept) == 0 && len(damage) > 0 {
		return fmt.Errorf("no generation is whole: %w", errors.Join(damage...))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept, l.newest = kept, 0
	if len(numbers) > 0 {
		l.newest = numbers[0]
	}
	if base := l.base(); base.Generation != l.newest {
		l.log.Warn("fell back to an earlier generation", "mapping", l.options.Mapping,
			"generation", base.Generation, "newest", l.newest)
	}
	return nil
}

// verify reads chunks end to end.
func (l *Ledger) verify(ctx context.Context, lists ...[]ChunkInfo) error {
	for _, chunks := range lists {
		for _, info := range chunks {
			chunk, err := openChunk(ctx, l.store, info)
			if err != nil {
				return err
			}
			if err := chunk.Close(); err != nil {
				return fmt.Errorf("close chunk: %w", err)
			}
		}
	}
	return nil
}

// base returns the generation the next pass starts from. The caller holds l.mu.
func (l *Ledger) base() Manifest {
	if len(l.kept) == 0 {
		return Manifest{}
	}
	return l.kept[0]
}

// Generation returns the number of the last committed generation, 0 for none.
func (l *Ledger) Generation() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.base().Generation
}

// Entries returns how many rows the last committed generation has.
func (l *Ledger) Entries() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.base().Entries
}

// Manifest returns the last committed generation's manifest; its Generation is 0
// when there is none.
func (l *Ledger) Manifest() Manifest {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.base()
}

func (l *Ledger) now() time.Time { return l.options.Now().UTC().Truncate(time.Microsecond) }

// Begin resumes the pass that was interrupted since the last generation, or
// starts a new one. The pass before must have been committed or abandoned, or
// have failed.
func (l *Ledger) Begin(ctx context.Context) (*Pass, error) {
	l.calling.Lock()
	defer l.calling.Unlock()
	if l.closed {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, ErrLeaseLost)
	}
	if err := l.finishLast(ctx); err != nil {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, err)
	}
	l.mu.Lock()
	base, newest := l.base(), l.newest
	l.mu.Unlock()
	fresh := Progress{
		Version: formatVersion, Mapping: l.options.Mapping, Generation: newest + 1, Base: base.Generation,
		Holder: l.options.Holder, StartedAt: l.now(), Ranges: []Range{{}},
	}
	progress, seq, err := l.findProgress(ctx, fresh)
	if err != nil {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, err)
	}
	l.pass = l.newPass(base, progress, seq)
	return l.pass, nil
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
	return l.load(ctx)
}

func (l *Ledger) newPass(base Manifest, progress Progress, seq int64) *Pass {
	r := progress.Ranges[0]
	p := &Pass{
		ledger: l, number: progress.Generation, base: base, start: r.Mark, last: r.Mark,
		resumed: r.Mark != "", savedAt: l.options.Now(),
		keys: newWalker[keyRow](l.store, base.Chunks, r.Mark),
		saver: saver{
			ledger: l, base: base, progress: progress, seq: seq,
			writer: chunkWriter{
				store: l.store, mapping: l.options.Mapping, generation: progress.Generation,
				nonce: nonce(), maxRows: int64(l.options.ChunkEntries),
				// The encoder's tables are small at this level, which tells when
				// a save writes few rows; the chunks are little larger.
				codec: zstd.Codec{Level: zstd.SpeedFastest},
			},
		},
	}
	p.saver.rewind()
	p.water.batch.mark, p.water.batch.counts = r.Mark, r.Counts
	return p
}

// committed takes the generation that a pass made for the base of the next, and
// clears away what no kept generation names.
func (l *Ledger) committed(ctx context.Context, m Manifest) {
	l.mu.Lock()
	l.kept = append([]Manifest{m}, l.kept[:min(len(l.kept), l.options.KeepGenerations-1)]...)
	l.newest = m.Generation
	kept := l.kept
	l.mu.Unlock()
	if err := sweep(ctx, l.store, l.options.Mapping, kept); err != nil {
		// The generation is true all the same; the next commit sweeps again.
		l.log.Warn("old records were not all deleted", "mapping", l.options.Mapping, "err", err)
	}
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
