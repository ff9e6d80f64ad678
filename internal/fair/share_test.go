package fair_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"syncd/internal/fair"
)

// asker is a member that records when its requests get their slots.
type asker struct {
	*fair.Member
	name string
	seen *served
}

type served struct {
	mu    sync.Mutex
	order []string
}

// ask requests a slot in a goroutine, which records when it gets the slot.
func (a asker) ask(t *testing.T) {
	t.Helper()
	go func() {
		if err := a.Acquire(t.Context()); err != nil {
			return
		}
		a.seen.mu.Lock()
		defer a.seen.mu.Unlock()
		a.seen.order = append(a.seen.order, a.name)
	}()
	synctest.Wait()
}

// Members with many and with few requests take turns, starting with the first release.
func TestShareServesMembersInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		share, seen := fair.NewShare(1), &served{}
		huge, small, other := asker{share.Member(), "huge", seen}, asker{share.Member(), "small", seen}, asker{share.Member(), "other", seen}
		askers := map[string]asker{"huge": huge, "small": small, "other": other}
		for range 5 {
			huge.ask(t) // one request has its slot, and four requests wait
		}
		small.ask(t)
		small.ask(t)
		other.ask(t)
		for range 7 {
			askers[seen.order[len(seen.order)-1]].Release()
			synctest.Wait()
		}
		want := []string{"huge", "huge", "small", "other", "huge", "small", "huge", "huge"}
		if diff := cmp.Diff(want, seen.order); diff != "" {
			t.Errorf("order of service (-want +got):\n%s", diff)
		}
	})
}

func TestShareIsFreeToOthersWhileUnused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		share := fair.NewShare(3)
		share.Member() // requests nothing
		m := share.Member()
		for range 3 {
			if err := m.Acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v for a slot beyond the share, want a wait until the context ended", err)
		}
	})
}

func TestShareFollowsItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		share, seen := fair.NewShare(0), &served{}
		m := asker{share.Member(), "m", seen}
		for range 5 {
			m.ask(t)
		}
		if got := share.InUse(); got != 5 {
			t.Errorf("without a bound: got %d slots taken, want all 5", got)
		}
		share.SetLimit(2)
		m.ask(t)
		m.Release()
		synctest.Wait()
		if got := share.InUse(); got != 4 {
			t.Errorf("after the limit fell: got %d slots taken, want the 4 that were not given back", got)
		}
		share.SetLimit(10)
		synctest.Wait()
		if got := share.InUse(); got != 5 {
			t.Errorf("after the limit rose: got %d slots taken, want 5", got)
		}
	})
}

func TestShareRefusesASlotThatWasNotTaken(t *testing.T) {
	share := fair.NewShare(1)
	if err := share.Member().Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("got no panic for the slot of another member")
		}
	}()
	share.Member().Release()
}

// TestShareProperties checks, with random operations on a share, that the limit is kept, that no
// slot is lost when a request gives up, and that no member is served twice while another member
// waits.
func TestShareProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newShareModel(r)
			for range rapid.IntRange(1, 60).Draw(r, "steps") {
				m.step(t, r)
				m.check(r)
			}
			m.end(r)
		})
	})
}

// shareModel is a share with the expected state of its members.
type shareModel struct {
	limit   int
	share   *fair.Share
	members []*fair.Member
	// waiting contains the waiting requests of each member, and held the number of slots that the
	// member has. passed counts how often each other member was served since the member began to
	// wait.
	waiting [][]*request
	held    []int
	passed  []map[int]int
}

type request struct {
	cancel context.CancelFunc
	ended  chan error
}

func newShareModel(r *rapid.T) *shareModel {
	n := rapid.IntRange(1, 5).Draw(r, "members")
	m := &shareModel{limit: rapid.IntRange(1, 4).Draw(r, "limit"), waiting: make([][]*request, n), held: make([]int, n), passed: make([]map[int]int, n)}
	m.share = fair.NewShare(m.limit)
	for range n {
		m.members = append(m.members, m.share.Member())
	}
	return m
}

func (m *shareModel) step(t *testing.T, r *rapid.T) {
	t.Helper()
	i := rapid.IntRange(0, len(m.members)-1).Draw(r, "member")
	switch rapid.SampledFrom([]string{"ask", "ask", "release", "give up"}).Draw(r, "what") {
	case "ask":
		m.ask(t, i)
	case "release":
		if m.held[i] > 0 {
			m.members[i].Release()
			m.held[i]--
		}
	case "give up":
		if n := len(m.waiting[i]); n > 0 {
			m.waiting[i][rapid.IntRange(0, n-1).Draw(r, "request")].cancel()
		}
	}
	synctest.Wait()
	m.collect(r)
}

func (m *shareModel) ask(t *testing.T, i int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	q := &request{cancel, make(chan error, 1)}
	go func() { q.ended <- m.members[i].Acquire(ctx) }()
	if len(m.waiting[i]) == 0 {
		m.passed[i] = map[int]int{}
	}
	m.waiting[i] = append(m.waiting[i], q)
}

// collect records which requests were served.
func (m *shareModel) collect(r *rapid.T) {
	for i := range m.waiting {
		m.waiting[i] = slices.DeleteFunc(m.waiting[i], func(q *request) bool {
			select {
			case err := <-q.ended:
				q.cancel()
				if err == nil {
					m.serve(r, i)
				}
				return true
			default:
				return false
			}
		})
	}
}

// serve records that a member was served. It fails the test if a waiting member has seen another
// member's turn twice since its own turn.
func (m *shareModel) serve(r *rapid.T, i int) {
	m.held[i]++
	m.passed[i] = map[int]int{}
	for j := range m.waiting {
		if j == i || len(m.waiting[j]) == 0 {
			continue
		}
		if m.passed[j][i]++; m.passed[j][i] > 1 {
			r.Fatalf("member %d was served twice while %d waited", i, j)
		}
	}
}

func (m *shareModel) check(r *rapid.T) {
	held, waiting := 0, 0
	for i := range m.held {
		held += m.held[i]
		waiting += len(m.waiting[i])
	}
	if held > m.limit || held != m.share.InUse() {
		r.Fatalf("got %d slots taken by requests and %d according to the share, want at most %d", held, m.share.InUse(), m.limit)
	}
	if waiting > 0 && held < m.limit {
		r.Fatalf("got %d slots taken of %d while %d requests wait", held, m.limit, waiting)
	}
}

// end makes every request give up, and releases every slot.
func (m *shareModel) end(r *rapid.T) {
	for i := range m.waiting {
		for _, q := range m.waiting[i] {
			q.cancel()
		}
	}
	synctest.Wait()
	m.collect(r)
	for i, n := range m.held {
		for range n {
			m.members[i].Release()
		}
	}
	if got := m.share.InUse(); got != 0 {
		r.Fatalf("got %d slots taken in the end, want none", got)
	}
}
