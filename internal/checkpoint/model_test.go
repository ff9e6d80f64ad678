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
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

var errKilled = errors.New("killed")

// world is the expected content of the ledger.
type world struct {
	entries map[string]string // key to source ETag
	aside   map[string]string
}

func readWorld(t failer, ctx context.Context, store store.Store) world { //nolint:revive // failer comes first, as in every helper here
	t.Helper()
	w := world{map[string]string{}, map[string]string{}}
	if _, err := record.Latest(ctx, store, mapping); errors.Is(err, record.ErrNoCheckpoint) {
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

// decision is what happens to one key in a pass.
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

// outcome is what the ledger contains for a settled key; a field is "" if it contains nothing.
type outcome struct {
	entry, aside string
}

// outcome returns the expected result of settle. The parameter base is the state from which the
// pass starts.
func (d decision) outcome(base world) (o outcome) {
	if d.how == "carry" || d.how == "quarantine" || d.how == "hold" {
		o.entry = base.entries[d.key]
	}
	switch d.how {
	case "record":
		o.entry = d.etag
	case "quarantine", "forget":
		o.aside = d.etag
	case "hold":
		o.aside = base.aside[d.key]
	}
	return o
}

// draw makes random decisions for the keys above after: for all keys in base, and for some more.
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
		choices := []string{"record", "quarantine", "forget", "drop"}
		if _, isAside := base.aside[key]; !isAside {
			choices = append(choices, "absent", "absent")
		}
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

// machine runs the same passes on a ledger and on a model of it.
type machine struct {
	t         *rapid.T
	ctx       context.Context //nolint:containedctx // the test's context, for all calls
	memory    *checkpointtest.Memory
	options   checkpoint.Options
	committed world
	view      world              // state from which the pass starts: what was committed, and what the pass has saved above its mark
	pending   map[string]outcome // outcomes decided in the uncommitted pass
	saved     string             // last saved mark; no key at or below it may be settled again
	settled   map[string]bool
	traces    map[string]*trace // by key, for keys settled above the mark
	promised  *promises
	lives     int // number of passes begun, to distinguish their records
	budget    int // writes until the process is killed
	afterward bool
}

// store returns a store that fails all writes once the budget is used up. The first failed write
// may nevertheless take effect.
func (m *machine) store() store.Store {
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

// life runs passes until the process is killed, and then checks the ledger.
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
	pass, err := beginSolo(m.ctx, ledger)
	if err != nil {
		return err
	}
	if pass.Mark() < m.saved {
		m.t.Fatalf("mark: got %q, want at least %q, which was saved", pass.Mark(), m.saved)
	}
	for key := range m.pending {
		if key <= pass.Mark() && !m.settled[key] {
			m.t.Fatalf("key %q is below the mark %q and was never settled", key, pass.Mark())
		}
	}
	if missing := m.promised.missing(pass); len(missing) > 0 {
		m.t.Fatalf("pass %d does not have the uploads %q, which were saved", pass.Number(), missing)
	}
	m.wantPrevious(pass)
	maps.DeleteFunc(m.pending, func(key string, _ outcome) bool { return key > pass.Mark() })
	m.lives++
	if err := m.walk(pass, draw(m.t, m.view, pass.Mark(), fmt.Sprint(m.lives))); err != nil {
		return err
	}
	next := world{map[string]string{}, map[string]string{}}
	for key, o := range m.pending {
		if o.entry != "" {
			next.entries[key] = o.entry
		}
		if o.aside != "" {
			next.aside[key] = o.aside
		}
	}
	m.promised.abortLeft(pass)
	_, err = pass.Commit(m.ctx)
	latest, latestErr := record.Latest(m.ctx, m.memory, mapping)
	if err == nil && latestErr != nil {
		m.t.Fatalf("latest: %v", latestErr)
	}
	if latestErr == nil && latest.Generation == pass.Number() { // committed, whether or not the response arrived
		m.committed, m.saved = next, ""
		clear(m.pending)
		clear(m.settled)
		clear(m.traces)
	}
	if diff := cmp.Diff(m.committed, readWorld(m.t, m.ctx, m.memory), cmp.AllowUnexported(world{})); diff != "" {
		m.t.Fatalf("ledger (-want +got):\n%s", diff)
	}
	return err
}

// trace contains the possible states of a key above the mark in the next process: the last outcome
// that was certainly saved, and later outcomes that may have been saved.
type trace struct {
	sure  outcome
	maybe []outcome
}

// settle records an outcome, which the next save makes durable.
func (m *machine) settle(d decision) {
	of := m.trace(d.key)
	of.maybe = append(of.maybe, d.outcome(m.view))
}

func (m *machine) trace(key string) *trace {
	if m.traces[key] == nil {
		m.traces[key] = &trace{sure: outcome{m.committed.entries[key], m.committed.aside[key]}}
	}
	return m.traces[key]
}

// wantPrevious checks the state from which the pass starts above its mark: the base, changed by the
// rows that the pass itself saved above the mark before it was interrupted. It sets m.view to that
// state.
func (m *machine) wantPrevious(pass *solo) {
	m.view = world{map[string]string{}, map[string]string{}}
	for _, e := range collect(m.t, pass.Previous(m.ctx)) {
		m.view.entries[e.Key] = e.Source.ETag
	}
	for _, q := range collect(m.t, pass.PreviousQuarantine(m.ctx)) {
		m.view.aside[q.Key] = q.Source.ETag
	}
	keys := slices.Concat(slices.Collect(maps.Keys(m.committed.entries)), slices.Collect(maps.Keys(m.committed.aside)),
		slices.Collect(maps.Keys(m.traces)), slices.Collect(maps.Keys(m.view.entries)), slices.Collect(maps.Keys(m.view.aside)))
	for _, key := range keys {
		if key <= pass.Mark() {
			continue
		}
		got, of := outcome{m.view.entries[key], m.view.aside[key]}, m.trace(key)
		if want := append(slices.Clone(of.maybe), of.sure); !slices.Contains(want, got) {
			m.t.Fatalf("key %q: the pass starts from %+v, want one of %+v", key, got, want)
		}
		m.traces[key] = &trace{sure: got}
	}
}

// walk reserves the keys in order, settles them in any order and saves the pass now and then.
func (m *machine) walk(pass *solo, decisions []decision) error {
	type outstanding struct {
		decision
		slot   *checkpoint.Slot
		upload string
	}
	var open []outstanding
	settleOne := func() {
		i := rapid.IntRange(0, len(open)-1).Draw(m.t, "settle")
		m.promised.end(open[i].upload)
		open[i].settle(open[i].slot, m.view)
		m.settle(open[i].decision)
		m.settled[open[i].key] = true
		open = slices.Delete(open, i, i+1)
	}
	for _, d := range decisions {
		// Reserve blocks when the window is full, and the window starts at the oldest unsettled
		// key. So the test settles keys before the window is full.
		for len(open) > 0 && (len(open) >= 4 || open[0].key < fmt.Sprintf("k%02d", keyNumber(d.key)-8) || rapid.Bool().Draw(m.t, "now")) {
			settleOne()
		}
		slot, err := pass.Reserve(m.ctx, d.key)
		if err != nil {
			return err
		}
		m.pending[d.key] = d.outcome(m.view)
		m.settled[d.key] = false
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

// flush saves the pass and records the result: from now on no key at or below the mark may be
// settled again, and nothing settled above the mark may be lost.
func (m *machine) flush(pass *solo) error {
	mark := pass.LowWater()
	if err := pass.Flush(m.ctx); err != nil {
		return err
	}
	m.saved = max(m.saved, mark)
	for _, of := range m.traces {
		if n := len(of.maybe); n > 0 {
			of.sure, of.maybe = of.maybe[n-1], nil
		}
	}
	return nil
}

// TestLedgerAgainstAModel runs random passes that are killed at random writes, and compares the
// ledger with a map after each kill. It checks that saved keys are never lost, that unsettled keys
// never appear, and that a generation is atomic.
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
			pending:   map[string]outcome{}, settled: map[string]bool{}, traces: map[string]*trace{}, promised: newPromises(),
		}
		for range rapid.IntRange(1, 3).Draw(t, "lives") {
			m.budget = rapid.IntRange(1, 24).Draw(t, "writes")
			m.afterward = rapid.Bool().Draw(t, "killed after the write")
			m.life(2)
		}
	})
}
