package copier_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/throttle"
)

// mute is a source whose bodies end in silence: after the byte at which a body stops, nothing is
// sent until the request is given up.
type mute struct {
	*s3.Client
	at    int64
	times atomic.Int64 // number of bodies that still stop; later bodies do not
}

func (m *mute) GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	out, err := m.Client.GetObject(ctx, in, opts...)
	if err == nil && m.times.Add(-1) >= 0 {
		out.Body = body{io.MultiReader(io.LimitReader(out.Body, m.at), silence{ctx.Done()}), out.Body}
	}
	return out, err
}

// TestBodyThatStalls checks that a body that is silent for a minute is given up, that reading
// continues where the body stopped, and that the copy fails after a few such bodies.
func TestBodyThatStalls(t *testing.T) {
	for name, size := range map[string]int64{"whole": 5 * mib, "in parts": 17 * mib} {
		for _, tt := range []struct {
			what   string
			times  int64
			reason string
			most   time.Duration
		}{
			{"once", 1, "", time.Minute},
			{"for ever", 1000, "transient", 5 * time.Minute},
		} {
			t.Run(name+" "+tt.what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newParted(t)
					w.relaying(64 * mib)
					w.options.Slots = slots(1) // one slot, so only one body is silent at a time
					source := &mute{Client: w.client}
					source.times.Store(tt.times)
					w.options.Source = source
					object, start := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{}), time.Now()
					_, err := w.copy(t, object)
					if took := time.Since(start); copier.Reason(err) != tt.reason || took < time.Minute || took > tt.most+time.Minute {
						t.Errorf("got %v after %s, want reason %q after about %s", err, took, tt.reason, tt.most)
					}
				})
			})
		}
	}
}

// TestSlowBody checks that a body that pauses at each megabyte, but never for a minute, is read to
// its end.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.relaying(64 * mib)
		w.onBody(func(res *http.Response) { res.Body = body{hesitant{res.Body}, res.Body} })
		w.mustCopy(t, w.put("k", awsfake.SyntheticBody(5*mib, 1), awsfake.PutOptions{}))
		if n := w.cloud.Requests()["GetObject"]; n != 1 {
			t.Errorf("got %d reads, want one", n)
		}
	})
}

// hesitant is a body that takes nearly a minute for each megabyte.
type hesitant struct{ io.Reader }

func (h hesitant) Read(p []byte) (int, error) {
	time.Sleep(59 * time.Second)
	n, err := io.ReadFull(h.Reader, p[:min(len(p), mib)])
	if n > 0 && errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

// TestBodyThatTrickles checks that a body that sends a byte every few seconds is given up after a
// minute, like a silent body.
func TestBodyThatTrickles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.relaying(64 * mib)
		w.onBody(func(res *http.Response) { res.Body = body{trickle{res.Body, res.Request.Context().Done()}, res.Body} })
		object, start := w.put("k", awsfake.SyntheticBody(5*mib, 1), awsfake.PutOptions{}), time.Now()
		_, err := w.copy(t, object)
		if took := time.Since(start); copier.Reason(err) != "transient" || took > 6*time.Minute {
			t.Errorf("got %v after %s, want reason transient after a few minutes", err, took)
		}
	})
}

// trickle is a body that returns one byte every five seconds.
type trickle struct {
	io.Reader
	ended <-chan struct{} // closed when the request ends
}

func (s trickle) Read(p []byte) (int, error) {
	select {
	case <-s.ended:
		return 0, context.Canceled
	case <-time.After(5 * time.Second):
		return s.Reader.Read(p[:1])
	}
}

// TestWaitForARateIsNotATimeout checks that the time for which a request waits because of a rate
// limit does not count as time without a response. The wait is longer than the timeout for a
// response.
func TestWaitForARateIsNotATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for mode, w := range modes(t) {
			guard := &throttle.Guard{Cap: throttle.NewController(throttle.ControllerOptions{Cap: 1.0 / 3000})}
			client := s3.New(w.client.Options(), s3.WithAPIOptions(guard.Attach))
			w.options.Source, w.options.Destination = client, client
			if _, err := w.copy(t, w.putLarge(awsfake.PutOptions{})); err != nil {
				t.Errorf("%s: %v", mode, err)
			}
		}
	})
}

// TestSilentSourceLeavesMemoryForOthers makes one mapping hold all the memory it can get, with
// silent bodies, while many more of its copies wait. It checks that another mapping can copy an
// object without waiting.
func TestSilentSourceLeavesMemoryForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, quick := newWorld(t), newWorld(t)
		stuck.relaying(96 * mib)
		quick.options.Relay, quick.options.Buffers = true, stuck.options.Buffers
		source := &mute{Client: stuck.client}
		source.times.Store(1000)
		stuck.options.Source, stuck.options.Slots = source, slots(100)
		bad, good := copier.New(stuck.options), copier.New(quick.options)
		ctx, giveUp := context.WithCancel(t.Context())
		var copies sync.WaitGroup
		defer copies.Wait()
		defer giveUp()
		for i := range 50 {
			object := stuck.put(fmt.Sprint("k", i), awsfake.SyntheticBody(8*mib, 1), awsfake.PutOptions{})
			copies.Go(func() { _, _, _ = bad.Copy(ctx, object, copier.Target{}, nil) }) // the copy fails
		}
		synctest.Wait()
		start := time.Now()
		if _, _, err := good.Copy(t.Context(), quick.put("k", awsfake.SyntheticBody(40*mib, 1), awsfake.PutOptions{}), copier.Target{}, nil); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("the other mapping's copy took %s, want it not to wait", took)
		}
	})
}
