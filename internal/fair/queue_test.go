package fair_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"syncd/internal/fair"
)

// maxMembers is the maximum number of members. The tests choose weights so that a weight modulo
// maxMembers is the number of the member that requested it.
const maxMembers = 5

// rule is a policy: all members together hold at most limit. A member that already holds a weight
// is skipped if its request would give it more than factor times the weight that would then be
// left. If factor is 0, no member is skipped.
type rule struct{ limit, factor int64 }

func (r rule) verdict(own, all, weight int64) fair.Verdict {
	left := r.limit - all - weight
	switch {
	case r.factor > 0 && own > 0 && own+weight > r.factor*left:
		return fair.Skip
	case left < 0:
		return fair.Block
	default:
		return fair.Admit
	}
}

// want is a weight that a member requested.
type want struct {
	weight int64
	cancel context.CancelFunc
	ended  chan error
}

// member returns the number of the member.
func (w *want) member() int { return int(w.weight % maxMembers) }

// queueModel is a simple model of a queue. To find the next request, it always starts at the first
// turn.
type queueModel struct {
	rule

	turns         []int
	waiting, held [][]*want // by member
}

func (m *queueModel) own(i int) (own int64) {
	for _, w := range m.held[i] {
		own += w.weight
	}
	return own
}

func (m *queueModel) all() (all int64) {
	for i := range m.held {
		all += m.own(i)
	}
	return all
}

func (m *queueModel) join(w *want) {
	i := w.member()
	m.waiting[i] = append(m.waiting[i], w)
	if !slices.Contains(m.turns, i) {
		m.turns = append(m.turns, i)
	}
}

func (m *queueModel) leave(w *want) {
	i := w.member()
	m.waiting[i] = without(m.waiting[i], w)
	if len(m.waiting[i]) == 0 {
		m.turns = without(m.turns, i)
	}
}

// admit admits and returns the next request, or nil if there is none.
func (m *queueModel) admit() *want {
	for _, i := range m.turns {
		w := m.waiting[i][0]
		switch m.verdict(m.own(i), m.all(), w.weight) {
		case fair.Skip:
			continue
		case fair.Block:
			return nil
		case fair.Admit:
		}
		m.turns, m.waiting[i], m.held[i] = without(m.turns, i), m.waiting[i][1:], append(m.held[i], w)
		if len(m.waiting[i]) > 0 {
			m.turns = append(m.turns, i)
		}
		return w
	}
	return nil
}

func without[T comparable](all []T, one T) []T {
	return slices.DeleteFunc(all, func(other T) bool { return other == one })
}

// move is one operation on a queue.
type move struct {
	what   string
	member int
	weight int64
	which  int // which of the member's requests gives up or is released
}

func moves(n, members int, limit int64) *rapid.Generator[[]move] {
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) move {
		return move{
			rapid.SampledFrom([]string{"ask", "ask", "ask", "release", "give up"}).Draw(r, "what"), rapid.IntRange(0, members-1).Draw(r, "member"),
			maxMembers * rapid.Int64Range(1, limit/maxMembers-1).Draw(r, "weight"), rapid.IntRange(0, 100).Draw(r, "which"),
		}
	}), n, n)
}

// queueTest is a queue with its model.
type queueTest struct {
	model   *queueModel
	queue   *fair.Queue
	members []*fair.Member
	// passed counts, for each member, how often each other member was served since it began to wait
	// or was last served.
	passed []map[int]int

	mu     sync.Mutex
	served []int64 // the admitted weights, in the order of their admission
}

func newQueueTest(members int, by rule) *queueTest {
	c := &queueTest{passed: make([]map[int]int, members), model: &queueModel{
		rule: by, waiting: make([][]*want, members), held: make([][]*want, members),
	}}
	c.queue = fair.NewQueue(c.verdict)
	for range members {
		c.members = append(c.members, c.queue.Member())
	}
	return c
}

func (c *queueTest) verdict(own, all, weight int64) fair.Verdict {
	verdict := c.model.verdict(own, all, weight)
	if verdict == fair.Admit {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.served = append(c.served, weight)
	}
	return verdict
}

// run does the moves, and then makes all requests give up or release.
func (c *queueTest) run(ctx context.Context, moves []move) error {
	for _, m := range moves {
		if err := c.do(ctx, m); err != nil {
			return err
		}
	}
	for i := range c.members {
		for len(c.model.waiting[i]) > 0 {
			if err := c.do(ctx, move{what: "give up", member: i}); err != nil {
				return err
			}
		}
	}
	for i := range c.members {
		for len(c.model.held[i]) > 0 {
			if err := c.do(ctx, move{what: "release", member: i}); err != nil {
				return err
			}
		}
	}
	return c.members[0].AcquireN(ctx, c.model.limit)
}

// do applies one move to the queue and to the model, and compares them.
func (c *queueTest) do(ctx context.Context, by move) error {
	i, m := by.member, c.model
	switch waiting, held := m.waiting[i], m.held[i]; {
	case by.what == "ask":
		c.ask(ctx, i, by.weight+int64(i))
	case by.what == "release" && len(held) > 0:
		w := held[by.which%len(held)]
		m.held[i] = without(held, w)
		w.cancel()
		c.members[i].ReleaseN(w.weight)
	case by.what == "give up" && len(waiting) > 0:
		w := waiting[by.which%len(waiting)]
		m.leave(w)
		w.cancel()
		if err := <-w.ended; !errors.Is(err, context.Canceled) {
			return fmt.Errorf("got %w for a request that gave up, want %w", err, context.Canceled)
		}
	}
	synctest.Wait()
	return c.check()
}

func (c *queueTest) ask(ctx context.Context, i int, weight int64) {
	ctx, cancel := context.WithCancel(ctx)
	w := &want{weight, cancel, make(chan error, 1)}
	if len(c.model.waiting[i]) == 0 {
		c.passed[i] = map[int]int{}
	}
	c.model.join(w)
	go func() { w.ended <- c.members[i].AcquireN(ctx, weight) }()
}

// check makes the model admit the requests that the queue admitted, one by one, and compares the
// model with the queue.
func (c *queueTest) check() error {
	for _, weight := range c.served {
		w := c.model.admit()
		if w == nil || w.weight != weight {
			return fmt.Errorf("got weight %d of member %d admitted, want %+v", weight, weight%maxMembers, w)
		}
		if len(w.ended) != 1 || <-w.ended != nil {
			return fmt.Errorf("got weight %d admitted, but its request waits or got an error", weight)
		}
		if err := c.countTurns(w.member()); err != nil {
			return err
		}
	}
	c.served = nil
	if w := c.model.admit(); w != nil {
		return fmt.Errorf("got no more admitted, want weight %d of member %d", w.weight, w.member())
	}
	if held, waiting := c.queue.Held(), c.queue.Waiting(); held > c.model.limit || held != c.model.all() || waiting != len(c.model.turns) {
		return fmt.Errorf("got %d held and %d members waiting, want %d of at most %d, and %d", held, waiting, c.model.all(), c.model.limit, len(c.model.turns))
	}
	return nil
}

// countTurns records that a member was served. It returns an error if a waiting member has seen the
// served member's turn twice since its own turn, unless the policy may skip the waiting member
// because of the weight that it holds.
func (c *queueTest) countTurns(served int) error {
	c.passed[served] = map[int]int{}
	for i, waiting := range c.model.waiting {
		switch {
		case i == served || len(waiting) == 0:
		case c.model.factor > 0 && c.model.own(i) > 0:
			c.passed[i] = map[int]int{}
		default:
			if c.passed[i][served]++; c.passed[i][served] > 1 {
				return fmt.Errorf("member %d was served twice while %d waited", served, i)
			}
		}
	}
	return nil
}

// TestQueueAsAModel checks that a queue admits the same requests in the same order as a simple
// model, so that the limit is kept and no weight is lost, and that no member waits for two turns of
// another member. Members request random weights, release them and give up, under random rules.
func TestQueueAsAModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		members := rapid.IntRange(1, maxMembers).Draw(r, "members")
		by := rule{maxMembers * rapid.Int64Range(2, 20).Draw(r, "limit"), rapid.Int64Range(0, 3).Draw(r, "factor")}
		moves := moves(rapid.IntRange(1, 80).Draw(r, "steps"), members, by.limit).Draw(r, "moves")
		var err error
		synctest.Test(t, func(t *testing.T) { err = newQueueTest(members, by).run(t.Context(), moves) })
		if err != nil {
			r.Fatal(err)
		}
	})
}

// TestMemberThatGaveUpComesLast checks that a member that gives up its only request and asks again
// comes after the members that joined in the meantime.
func TestMemberThatGaveUpComesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		share, seen := fair.NewShare(1), &served{}
		first, second := asker{share.Member(), "first", seen}, asker{share.Member(), "second", seen}
		holder := share.Member()
		if err := holder.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = first.Acquire(ctx) }()
		synctest.Wait()
		second.ask(t)
		cancel()
		synctest.Wait()
		first.ask(t)
		holder.Release()
		synctest.Wait()
		second.Release()
		synctest.Wait()
		if want := []string{"second", "first"}; !slices.Equal(seen.order, want) {
			t.Errorf("got order of service %v, want %v", seen.order, want)
		}
	})
}

// endsLate is a context whose Done calls first and then ends the context.
type endsLate struct {
	context.Context //nolint:containedctx // it is one

	first func()
	end   context.CancelFunc
}

func (e endsLate) Done() <-chan struct{} {
	e.first()
	e.end()
	return e.Context.Done()
}

// TestQueueGivesBackWhatCameTooLate checks a request that is admitted at the moment when it gives
// up. Whether the request sees its admission or the end of its context first is random.
func TestQueueGivesBackWhatCameTooLate(t *testing.T) {
	late := 0
	for range 64 {
		queue := fair.NewQueue(rule{limit: 10}.verdict)
		holder, other := queue.Member(), queue.Member()
		if err := holder.AcquireN(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if other.AcquireN(endsLate{ctx, func() { holder.ReleaseN(10) }, cancel}, 7) == nil {
			other.ReleaseN(7)
		} else {
			late++
		}
		if held, waiting := queue.Held(), queue.Waiting(); held != 0 || waiting != 0 {
			t.Fatalf("got %d held and %d waiting, want none", held, waiting)
		}
	}
	if late == 0 {
		t.Error("got no admission that came too late")
	}
}
