package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
)

var errKilled = errors.New("killed")

// world is what the ledger must say, kept in maps.
type world struct {
	entries map[string]string // key to source ETag
	aside   map[string]string
}

func (w world) clone() world { return world{maps.Clone(w.entries), maps.Clone(w.aside)} }

func readWorld(t failer, ctx context.Context, store checkpoint.Store) world { //nolint:revive // failer comes first, as in every helper here
	t.Helper()
	w := world{map[string]string{}, map[string]string{}}
	if _, err := checkpoint.Latest(ctx, store, mapping); errors.Is(err, checkpoint.ErrNoCheckpoint) {
		return w
	}
	last := ""
	for _, e := range collect(t, checkpoint.Entries(ctx, store, mapping)) {
		if w.entries[e.Key] = e.Source.ETag; e.Key <= last {
			t.Fatalf("key %q follows %q", e.Key, last)
		}
		last = e.Key
	}
	for _, q := range collect(t, checkpoint.Quarantine(ctx, store, mapping)) {
		w.aside[q.Key] = q.Source.ETag
	}
	return w
}

// decision is what becomes of one key in a pass.
type decision struct {
	key, how, etag string
}

func (d decision) settle(slot *checkpoint.Slot, base world) {
	previous, had := base.entries[d.key]
	switch d.how {
	case "carry":
		slot.Carry(entry(d.key, previous))
	case "record":
		slot.Record(entry(d.key, d.etag))
	case "quarantine":
		if e := entry(d.key, previous); had {
			slot.Quarantine(quarantined(d.key, d.etag), &e)
		} else {
			slot.Quarantine(quarantined(d.key, d.etag), nil)
		}
	case "forget":
		slot.Quarantine(quarantined(d.key, d.etag), nil)
	case "hold":
		if e := entry(d.key, previous); had {
			slot.Hold(quarantined(d.key, base.aside[d.key]), &e)
		} else {
			slot.Hold(quarantined(d.key, base.aside[d.key]), nil)
		}
	default:
		slot.Drop()
	}
}

// apply makes in the model what settle makes in the ledger. Base is the
// generation before; w is the one that comes to be.
func (d decision) apply(w, base world) {
	delete(w.entries, d.key)
	delete(w.aside, d.key)
	previous, had := base.entries[d.key]
	if had && (d.how == "carry" || d.how == "quarantine" || d.how == "hold") {
		w.entries[d.key] = previous
	}
	switch d.how {
	case "record":
		w.entries[d.key] = d.etag
	case "quarantine", "forget":
		w.aside[d.key] = d.etag
	case "hold":
		w.aside[d.key] = base.aside[d.key]
	}
}

// draw decides about the keys above after: all that the base has, and some more.
func draw(t *rapid.T, base world, after, etag string) (decisions []decision) {
	quiet := rapid.Bool().Draw(t, "quiet")
	for i := range 32 {
		key := fmt.Sprintf("k%02d", i)
		switch i % 7 {
		case 3:
			key += "\xff\\"
		case 5:
			key += "/é"
		}
		_, had := base.entries[key]
		choices := []string{"record", "quarantine", "forget", "drop", "absent", "absent"}
		if had {
			choices = []string{"carry", "carry", "carry", "record", "quarantine", "forget", "drop"}
			if quiet && rapid.IntRange(0, 20).Draw(t, "change") > 0 {
				choices = []string{"carry"}
			}
		}
		if _, isAside := base.aside[key]; isAside {
			choices = append(choices, "hold", "hold", "hold")
		}
		how := rapid.SampledFrom(choices).Draw(t, "how")
		if key > after && how != "absent" {
			decisions = append(decisions, decision{key, how, etag})
		}
	}
	return decisions
}

// machine runs passes against a ledger and a model side by side.
type machine struct {
	t         *rapid.T
	ctx       context.Context //nolint:containedctx // a test's, for all its calls
	memory    *checkpointtest.Memory
	options   checkpoint.Options
	committed world
	pending   map[string]decision // decided in the pass that is not committed
	saved     string              // no key at or below it may be asked for again
	settled   map[string]bool
	promised  *promises
	budget    int // writes until the process is killed
	afterward bool
}

// store fails every write from the one on that the budget does not cover; that
// one takes effect or not.
func (m *machine) store() checkpoint.Store {
	spend := func(atEnd bool) func(string, string) error {
		return func(string, string) error {
			if m.budget <= 0 {
				return errKilled
			}
			if atEnd == m.afterward {
				m.budget--
			}
			if m.budget <= 0 && (atEnd == m.afterward) {
				return errKilled
			}
			return nil
		}
	}
	return &checkpointtest.Faulty{Store: m.memory, Before: spend(false), After: spend(true)}
}

// life runs passes until the process is killed, and then looks at what is left.
func (m *machine) life(passes int) {
	ledger, err := checkpoint.Open(m.ctx, m.store(), m.options)
	if err != nil {
		m.t.Fatalf("open: %v", err)
	}
	for range passes {
		if err := m.pass(ledger); err != nil {
			if !errors.Is(err, errKilled) {
				m.t.Fatalf("pass: %v", err)
			}
			break
		}
	}
	m.memory = m.memory.Clone() // nothing is closed, as after kill -9
	m.budget = 0
}

func (m *machine) pass(ledger *checkpoint.Ledger) error {
	pass, err := ledger.Begin(m.ctx)
	if err != nil {
		return err
	}
	if pass.Mark() < m.saved {
		m.t.Fatalf("mark: got %q, want at least %q, which was saved", pass.Mark(), m.saved)
	}
	for key := range m.pending {
		if key > pass.Mark() {
			delete(m.pending, key)
		} else if !m.settled[key] {
			m.t.Fatalf("key %q is below the mark %q and was never settled", key, pass.Mark())
		}
	}
	if missing := m.promised.missing(pass); len(missing) > 0 {
		m.t.Fatalf("pass %d does not know the uploads %q, which were saved", pass.Number(), missing)
	}
	m.wantPrevious(pass)
	if err := m.walk(pass, draw(m.t, m.committed, pass.Mark(), fmt.Sprint(pass.Number()))); err != nil {
		return err
	}
	next := m.committed.clone()
	clear(next.aside)
	for _, d := range m.pending {
		d.apply(next, m.committed)
	}
	m.promised.abortLeft(pass)
	_, err = pass.Commit(m.ctx)
	latest, latestErr := checkpoint.Latest(m.ctx, m.memory, mapping)
	if err == nil && latestErr != nil {
		m.t.Fatalf("latest: %v", latestErr)
	}
	if latestErr == nil && latest.Generation == pass.Number() { // true, whether or not the answer came through
		m.committed, m.saved = next, ""
		clear(m.pending)
		clear(m.settled)
	}
	if diff := cmp.Diff(m.committed, readWorld(m.t, m.ctx, m.memory), cmp.AllowUnexported(world{})); diff != "" {
		m.t.Fatalf("ledger (-want +got):\n%s", diff)
	}
	return err
}

// wantPrevious checks that the base is given from the mark on.
func (m *machine) wantPrevious(pass *checkpoint.Pass) {
	want := map[string]string{}
	for key, etag := range m.committed.entries {
		if key > pass.Mark() {
			want[key] = etag
		}
	}
	got := map[string]string{}
	for _, e := range collect(m.t, pass.Previous(m.ctx)) {
		got[e.Key] = e.Source.ETag
	}
	if diff := cmp.Diff(want, got); diff != "" {
		m.t.Fatalf("previous (-want +got):\n%s", diff)
	}
}

// walk reserves in order, settles in any order and saves now and then.
func (m *machine) walk(pass *checkpoint.Pass, decisions []decision) error {
	type outstanding struct {
		decision
		slot   *checkpoint.Slot
		upload string
	}
	var open []outstanding
	settleOne := func() {
		i := rapid.IntRange(0, len(open)-1).Draw(m.t, "settle")
		m.promised.end(open[i].upload)
		open[i].settle(open[i].slot, m.committed)
		m.settled[open[i].key] = true
		open = slices.Delete(open, i, i+1)
	}
	for _, d := range decisions {
		// The window counts from the oldest unsettled key, so the test stays below it.
		for len(open) > 0 && (len(open) >= 4 || open[0].key < fmt.Sprintf("k%02d", keyNumber(d.key)-8) || rapid.Bool().Draw(m.t, "now")) {
			settleOne()
		}
		slot, err := pass.Reserve(m.ctx, d.key)
		if err != nil {
			return err
		}
		m.pending[d.key] = d
		now := outstanding{d, slot, ""}
		if rapid.IntRange(0, 5).Draw(m.t, "upload") == 0 {
			if now.upload, err = m.promised.begin(m.ctx, slot, d.key); err != nil {
				return err
			}
		}
		open = append(open, now)
		if rapid.IntRange(0, 9).Draw(m.t, "flush") == 0 {
			if err := m.flush(pass); err != nil {
				return err
			}
		}
	}
	for len(open) > 0 {
		settleOne()
	}
	return nil
}

func keyNumber(key string) (n int) {
	_, _ = fmt.Sscanf(key, "k%02d", &n)
	return max(n, 8)
}

// flush saves, and then holds the ledger to it: from now on the last change
// below the mark is not to be asked for again.
func (m *machine) flush(pass *checkpoint.Pass) error {
	mark := pass.LowWater()
	if err := pass.Flush(m.ctx); err != nil {
		return err
	}
	for key, d := range m.pending {
		_, had := m.committed.entries[key]
		if isChange := d.how != "carry" && (d.how != "drop" || had); isChange && key <= mark {
			m.saved = max(m.saved, key)
		}
	}
	return nil
}

// TestLedgerAgainstAModel runs random passes that are killed at random writes
// and compares the ledger with a map after each. What was saved is never lost,
// what was not settled never appears, and a generation is all or nothing.
func TestLedgerAgainstAModel(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		o := options()
		o.ChunkEntries = rapid.IntRange(5, 16).Draw(t, "chunk entries")
		o.Window = rapid.IntRange(12, 40).Draw(t, "window")
		m := &machine{
			t: t, ctx: ctx, memory: checkpointtest.NewMemory(), options: o,
			committed: world{map[string]string{}, map[string]string{}},
			pending:   map[string]decision{}, settled: map[string]bool{}, promised: newPromises(),
		}
		for range rapid.IntRange(1, 3).Draw(t, "lives") {
			m.budget = rapid.IntRange(1, 24).Draw(t, "writes")
			m.afterward = rapid.Bool().Draw(t, "killed after the write")
			m.life(2)
		}
	})
}
