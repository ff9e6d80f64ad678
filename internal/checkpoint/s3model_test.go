package checkpoint_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/checkpoint/store/s3/s3test"
	"syncd/internal/deadline"
	"syncd/internal/transfer"
)

// contest contains several holders that write one ledger on S3, and the expected state: what was
// copied, which saves the holders saw succeed, and which manifests were created in which order.
type contest struct {
	state *s3test.State
	until time.Time

	mu         sync.Mutex
	copies     int
	began      int             // number of uploads begun
	copied     map[string]bool // "key copy"
	acked      map[string]int  // by key: the copy that later holders must not lose
	uploads    map[string]bool // by ID: uploads that later holders must not lose and that have not ended
	mark       string          // last mark that the current pass saved
	manifests  []published
	committed  map[int64]string
	takeovers  int
	violations []string
}

// published is a manifest that was created.
type published struct {
	generation int64
	by         *life
	newest     bool
	fence      bool
}

func (c *contest) violated(format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf(format, args...))
}

// isFenced reports whether another holder has fenced off l since l opened its ledger. It looks at
// the manifests before the index until. The caller holds c.mu.
func (c *contest) isFenced(l *life, until int) bool {
	return slices.ContainsFunc(c.manifests[min(l.opened, until):until], func(p published) bool { return p.fence && p.by != l })
}

// life is one process, from its start until it ends or is killed.
type life struct {
	*contest
	name   string
	random *rand.Rand
	skew   time.Duration
	trouble

	opened int // number of manifests when the process got the lease or wrote its fence; -1 before

	mu     sync.Mutex
	frozen time.Time     // the process sends no requests before this time
	asleep time.Duration // time for which the process's clock was stopped
	dead   bool
}

// trouble contains the probabilities of faults, in percent of requests. The probability of a crash
// is in percent of keys.
type trouble struct {
	pause, lose, refuse, crash int
	suspends                   bool // whether the monotonic clock stops during a pause
}

func (l *life) chance(percent int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.until) && l.random.IntN(100) < percent
}

func (l *life) pick(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.random.IntN(n)
}

// run opens the ledger, runs passes on it and ends in a random way.
func (l *life) run(ctx context.Context) {
	o := l.state.Options()
	o.Now, o.LeaseFor = l.now, 30*time.Second
	store := s3store.New(l.state.Client(l, 2), o)
	lo := options()
	lo.Holder, lo.Now, lo.ChunkEntries, lo.KeepGenerations = l.name, l.now, 8, 2
	ledger, err := checkpoint.Open(ctx, store, lo)
	if err != nil {
		_ = deadline.Sleep(ctx, 7*time.Second)
		return
	}
	for range 4 {
		if err := l.pass(ctx, ledger); err != nil {
			break
		}
	}
	if l.chance(50) {
		l.die()
	}
	_ = ledger.Close()
}

func (l *life) die() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
}

func (l *life) pass(ctx context.Context, ledger *checkpoint.Ledger) error {
	pass, err := beginSolo(ctx, ledger)
	if err != nil {
		return err
	}
	previous, err := l.begun(ctx, pass)
	if err != nil {
		return err
	}
	recorded := map[string]int{}
	for i := range 10 {
		k := key(i)
		if k <= pass.Mark() {
			continue
		}
		slot, err := pass.Reserve(ctx, k)
		if err != nil {
			return err
		}
		if before, ok := previous[k]; ok && l.chance(40) {
			slot.Carry(before)
		} else {
			recorded[k] = l.copy(k)
			if err := l.upload(ctx, slot, k); err != nil {
				return err
			}
			slot.Record(entry(k, strconv.Itoa(recorded[k])))
		}
		_ = deadline.Sleep(ctx, time.Duration(l.pick(3000))*time.Millisecond)
		if l.chance(l.crash) {
			l.die()
		}
		if l.chance(35) {
			if err := pass.Flush(ctx); err != nil {
				return err
			}
			l.saved(recorded)
		}
	}
	l.abortLeft(pass)
	generation, err := pass.Commit(ctx)
	if err == nil {
		l.hasCommitted(generation, recorded)
	}
	return err
}

// begun checks the state from which a pass starts.
func (l *life) begun(ctx context.Context, pass *solo) (map[string]record.Entry, error) {
	l.contest.mu.Lock()
	if !l.isFenced(l, len(l.manifests)) && pass.Mark() < l.mark {
		l.violated("%s: pass %d begins behind %q, but %q was saved", l.name, pass.Number(), pass.Mark(), l.mark)
	}
	if !l.isFenced(l, len(l.manifests)) {
		known := map[string]bool{}
		for _, u := range pass.LeftUploads() {
			known[u.ID] = true
		}
		for id := range l.uploads {
			if !known[id] {
				l.violated("%s: pass %d does not know upload %s, which was saved", l.name, pass.Number(), id)
			}
		}
	}
	l.contest.mu.Unlock()
	previous := map[string]record.Entry{}
	for e, err := range pass.Previous(ctx) {
		if err != nil {
			return nil, err
		}
		previous[e.Key] = e
		l.contest.mu.Lock()
		if !l.copied[e.Key+" "+e.Source.ETag] {
			l.violated("%s: entry %s %s was never copied", l.name, e.Key, e.Source.ETag)
		}
		l.contest.mu.Unlock()
	}
	return previous, nil
}

func (l *life) copy(key string) int {
	l.contest.mu.Lock()
	defer l.contest.mu.Unlock()
	l.copies++
	l.copied[fmt.Sprint(key, " ", l.copies)] = true
	return l.copies
}

// upload simulates a multipart upload for some of the copies. The upload takes a while and then
// ends, unless the process dies meanwhile.
func (l *life) upload(ctx context.Context, slot *checkpoint.Slot, key string) error {
	if !l.chance(30) {
		return nil
	}
	l.contest.mu.Lock()
	l.began++
	id := fmt.Sprint("upload-", l.began)
	l.contest.mu.Unlock()
	u := record.Upload{Key: key, ID: id, Source: transfer.Version{Size: 1 << 30}, BeganAt: time.Now()}
	if before, ok := slot.Upload(); ok && l.chance(50) {
		u, id = before, before.ID
	}
	if err := slot.UploadBegan(ctx, u); err != nil {
		return err
	}
	l.contest.mu.Lock()
	if !l.isFenced(l, len(l.manifests)) {
		l.uploads[id] = true
	}
	l.contest.mu.Unlock()
	_ = deadline.Sleep(ctx, time.Duration(l.pick(3000))*time.Millisecond)
	if l.chance(l.crash) {
		l.die()
		return checkpointtest.ErrBroken
	}
	l.over(id)
	return nil
}

// abortLeft aborts the uploads that no process resumes.
func (l *life) abortLeft(pass *solo) {
	for _, u := range pass.LeftUploads() {
		l.over(u.ID)
		pass.UploadAborted(u.ID)
	}
}

// over ends an upload at the destination, unless the process is dead.
func (l *life) over(id string) {
	l.mu.Lock()
	dead := l.dead
	l.mu.Unlock()
	if dead {
		return
	}
	l.contest.mu.Lock()
	defer l.contest.mu.Unlock()
	delete(l.uploads, id)
}

// saved records what a successful save guarantees, unless another holder has taken over.
func (l *life) saved(recorded map[string]int) {
	l.contest.mu.Lock()
	defer l.contest.mu.Unlock()
	if l.isFenced(l, len(l.manifests)) {
		return
	}
	for key, copy := range recorded {
		l.acked[key] = copy
		l.mark = max(l.mark, key)
	}
}

func (l *life) hasCommitted(generation int64, recorded map[string]int) {
	l.contest.mu.Lock()
	defer l.contest.mu.Unlock()
	if by, twice := l.committed[generation]; twice {
		l.violated("generation %d was committed by %s and by %s", generation, by, l.name)
	}
	l.committed[generation] = l.name
	at := -1
	for i, p := range l.manifests {
		if p.generation == generation && p.by == l && p.newest && !p.fence {
			at = i
		}
	}
	if at < 0 || l.isFenced(l, at) {
		l.violated("%s committed generation %d after another holder had taken over", l.name, generation)
		return
	}
	if !l.isFenced(l, len(l.manifests)) {
		maps.Copy(l.acked, recorded)
	}
}

// end opens the ledger a last time, without faults, and checks its content.
func (c *contest) end(ctx context.Context) {
	_ = deadline.Sleep(ctx, 70*time.Second)
	l := &life{contest: c, name: "last", random: rand.New(rand.NewPCG(1, 1)), opened: -1}
	store := s3store.New(c.state.Client(l, 3), c.state.Options())
	ledger, err := checkpoint.Open(ctx, store, options())
	if err != nil {
		c.violated("open for the last time: %v", err)
		return
	}
	defer func() { _ = ledger.Close() }()
	if err := l.pass(ctx, ledger); err != nil {
		c.violated("last pass: %v", err)
		return
	}
	got := map[string]string{}
	for e, err := range checkpoint.Entries(ctx, store, mapping) {
		if got[e.Key] = e.Source.ETag; err != nil || !c.copied[e.Key+" "+e.Source.ETag] {
			c.violated("entry %s %s was never copied, or not read: %v", e.Key, e.Source.ETag, err)
		}
	}
	for key, copy := range c.acked {
		if n, _ := strconv.Atoi(got[key]); n < copy {
			c.violated("%s: got copy %q, but %d was saved", key, got[key], copy)
		}
	}
}

// contender is the random configuration of one holder.
type contender struct {
	seed uint64
	skew time.Duration
	trouble
}

func drawContender(t *rapid.T) contender {
	percent := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
	return contender{
		seed: rapid.Uint64().Draw(t, "seed"),
		skew: time.Duration(rapid.IntRange(-7200, 7200).Draw(t, "skew")) * time.Second,
		trouble: trouble{
			percent("pause", 12), percent("lose", 8), percent("refuse", 8), percent("crash", 10),
			rapid.Bool().Draw(t, "suspends"),
		},
	}
}

// hold runs a contender's processes one after another.
func (c *contest) hold(ctx context.Context, number int, who contender) {
	for n := uint64(0); time.Now().Before(c.until); n++ {
		l := &life{
			contest: c, name: fmt.Sprint("holder ", number, " life ", n),
			random: rand.New(rand.NewPCG(who.seed, n)), skew: who.skew, trouble: who.trouble, opened: -1,
		}
		l.run(ctx)
	}
}

var contestFor = flag.Duration("contest", time.Minute, "how long the holders of TestHoldersAgainstAModel compete, by the time of their bubble")

// TestHoldersAgainstAModel lets two or three holders compete for one ledger, with clocks that
// disagree, pauses longer than the lease, lost responses and crashes. It checks that no generation
// is committed twice, that no holder commits after another holder has taken over, that the ledger
// contains only entries of copies that were made, and that no entry or upload saved by a holder of
// the lease is lost. For a longer test, run it with -contest 3m -rapid.checks=2000.
func TestHoldersAgainstAModel(t *testing.T) {
	contests, takeovers, commits := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		if *contestFor <= time.Minute && contests == 40 {
			return
		}
		contenders := rapid.SliceOfN(rapid.Custom(drawContender), 2, 3).Draw(rt, "contenders")
		c := &contest{copied: map[string]bool{}, acked: map[string]int{}, uploads: map[string]bool{}, committed: map[int64]string{}}
		s3test.LedgerBubble(t, func(t *testing.T) { //nolint:thelper // it is the test
			c.state, c.until = s3test.New(), time.Now().Add(*contestFor)
			var group sync.WaitGroup
			for i, who := range contenders {
				group.Go(func() { c.hold(t.Context(), i, who) })
			}
			group.Wait()
			c.end(t.Context())
		})
		contests, takeovers, commits = contests+1, takeovers+c.takeovers, commits+len(c.committed)
		if len(c.violations) > 0 {
			rt.Fatalf("%s", strings.Join(c.violations, "\n"))
		}
	})
	t.Logf("%d contests, %d takeovers, %d commits", contests, takeovers, commits)
	if takeovers < contests/2 || commits < contests {
		t.Errorf("got %d takeovers and %d commits in %d contests, want the model to be exercised", takeovers, commits, contests)
	}
}
