package content

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// TestBuffersOfAClassAboveTheSize borrows a buffer and then a longer buffer of the same class. The
// power of two of that class is above the total size. The test checks that the shorter buffer is
// not lent for the second request.
func TestBuffersOfAClassAboveTheSize(t *testing.T) {
	m := NewBuffers(96 << 20).Member()
	_, giveBack, err := m.Borrow(t.Context(), 80<<20) // the last, shorter part of an object of 1.1 TB
	if err != nil {
		t.Fatal(err)
	}
	giveBack()
	_, giveBack, err = m.Borrow(t.Context(), 100<<20) // a whole part of the next such object
	if err != nil {
		t.Fatal(err)
	}
	giveBack()
}

// TestBuffersAreShared makes members borrow all the memory they can, one after the other. It checks
// that there is still memory for the next member.
func TestBuffersAreShared(t *testing.T) {
	const part = 8 << 20
	for _, want := range [][]int{{12}, {9, 2}, {9, 2, 1}} {
		synctest.Test(t, func(t *testing.T) {
			b := NewBuffers(12 * part)
			members := make([]*Member, len(want))
			for i := range members {
				members[i] = b.Member()
			}
			for i, m := range members {
				if got := taken(t, m, part); got != want[i] {
					t.Errorf("member %d of %d got %d parts of 12, want %d", i+1, len(want), got, want[i])
				}
			}
			if b.queue.Waiting() != 0 || b.queue.Held() > b.size {
				t.Errorf("got %d waiting and %d bytes lent of %d, want no effect of canceled requests", b.queue.Waiting(), b.queue.Held(), b.size)
			}
		})
	}
}

// taken returns how often a member can borrow n bytes before it has to wait.
func taken(t *testing.T, m *Member, n int64) (times int) {
	t.Helper()
	for ; ; times++ {
		ctx, giveUp := context.WithCancel(t.Context())
		got := make(chan error, 1)
		go func() {
			_, _, err := m.Borrow(ctx, n)
			got <- err
		}()
		synctest.Wait()
		giveUp() // has no effect if Borrow did not have to wait
		if err := <-got; errors.Is(err, context.Canceled) {
			return times
		}
	}
}

// TestBuffersTakeTurns checks that members take turns if one member has many waiting requests.
func TestBuffersTakeTurns(t *testing.T) {
	const part = 8 << 20
	synctest.Test(t, func(t *testing.T) {
		b := NewBuffers(2 * part)
		greedy, modest := b.Member(), b.Member()
		_, giveBack, err := greedy.Borrow(t.Context(), 2*part)
		if err != nil {
			t.Fatal(err)
		}
		order := make(chan *Member, 5)
		wait := func(m *Member) {
			go func() {
				if _, done, err := m.Borrow(t.Context(), 2*part); err == nil {
					order <- m
					done()
				}
			}()
			synctest.Wait()
		}
		for _, m := range []*Member{greedy, greedy, greedy, modest, modest} {
			wait(m)
		}
		giveBack()
		for i, want := range []*Member{greedy, modest, greedy, modest, greedy} {
			if got := <-order; got != want {
				t.Errorf("turn %d went to the greedy member: %v, want %v", i+1, got == greedy, want == greedy)
			}
		}
	})
}
