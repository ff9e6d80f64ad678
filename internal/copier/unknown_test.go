package copier_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
)

// odd is a service with fewer features than S3: it returns the whole object for a range, and can
// have the other faults below.
type odd struct {
	*s3.Client
	// before is called before each request for a whole object, and change can change its response;
	// nil does nothing.
	before func(*s3.GetObjectInput)
	change func(*s3.GetObjectOutput)
	// ranges enables ranges. noLength and headless omit the length from bodies and heads. stalled
	// sends no byte of a whole object.
	ranges, noLength, headless, stalled bool
	wholes                              atomic.Int32 // requests for a whole object
}

func (o *odd) GetObject(ctx context.Context, asked *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	in := *asked
	switch {
	case in.Range == nil:
		o.wholes.Add(1)
		if o.before != nil {
			o.before(&in)
		}
	case !o.ranges:
		in.Range = nil
	}
	out, err := o.Client.GetObject(ctx, &in, opts...)
	if err == nil && o.noLength {
		out.ContentLength = nil
	}
	if err == nil && in.Range == nil && o.change != nil {
		o.change(out)
	}
	if err == nil && asked.Range == nil && o.stalled {
		out.Body = body{silence{ctx.Done()}, out.Body}
	}
	return out, err
}

func (o *odd) HeadObject(ctx context.Context, in *s3.HeadObjectInput, opts ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	out, err := o.Client.HeadObject(ctx, in, opts...)
	if err == nil && o.headless {
		out.ContentLength = nil
	}
	return out, err
}

// newOdd returns a world that relays from an odd service, in parts of 5 MiB.
func newOdd(tb testing.TB) (*world, *odd) {
	tb.Helper()
	w := newParted(tb)
	w.relaying(64 * mib)
	o := &odd{Client: w.client}
	w.options.Source = o
	return w, o
}

// body is a changed body. Closing it closes the original body.
type body struct {
	io.Reader
	io.Closer
}

// silence is a connection that is silent until the request is given up.
type silence struct{ done <-chan struct{} }

func (s silence) Read([]byte) (int, error) {
	<-s.done
	return 0, context.Canceled
}

// cutAt breaks a connection at byte n of a body. endAt ends the body at byte n as if it were
// complete, and addTo adds bytes after its end.
func cutAt(n int64) func(*s3.GetObjectOutput) {
	return func(out *s3.GetObjectOutput) {
		out.Body = body{io.MultiReader(io.LimitReader(out.Body, n), iotest.ErrReader(io.ErrUnexpectedEOF)), out.Body}
	}
}

func endAt(n int64) func(*s3.GetObjectOutput) {
	return func(out *s3.GetObjectOutput) { out.Body = body{io.LimitReader(out.Body, n), out.Body} }
}

func addTo(out *s3.GetObjectOutput) {
	out.Body = body{io.MultiReader(out.Body, strings.NewReader("x")), out.Body}
}

// flip changes one byte of a body in transit if the service sends no whole-object checksum with it.
func flip(out *s3.GetObjectOutput) {
	former := make([]byte, 1)
	_, _ = io.ReadFull(out.Body, former) // the checksum detects the change even if the read fails
	out.Body = body{io.MultiReader(strings.NewReader(string(former[0]^1)), out.Body), out.Body}
	out.ChecksumCRC64NVME = nil
}

// TestUnknownLength checks that copies from services that omit the length, do not support ranges,
// or both, are complete and have all metadata.
func TestUnknownLength(t *testing.T) {
	for _, size := range []int64{0, 10, 8 * mib, 15*mib + 3, 20 * mib} {
		for _, tt := range []struct {
			name             string
			ranges, noLength bool
		}{{"no length", true, true}, {"no ranges", false, false}, {"neither", false, true}} {
			t.Run(fmt.Sprintf("%s, %d bytes", tt.name, size), func(t *testing.T) {
				w, source := newOdd(t)
				source.ranges, source.noLength, source.headless = tt.ranges, tt.noLength, tt.noLength
				object := w.put("dir/k +", awsfake.SyntheticBody(size, 1), rich())
				result, copied := w.mustCopyWith(t, object, &uploadRecord{})
				w.sameAsSource(t, object.Key, copied)
				parts, wholes := int(size+5*mib-1)/(5*mib), int32(0)
				if size <= 8*mib {
					parts = 0
				}
				if parts == 0 || !tt.ranges {
					wholes = 1
				}
				if result.Object != object || result.Parts != parts || result.KeyARN != w.key.ARN() || result.Checksum != "crc64nvme:"+copied.Checksum {
					t.Errorf("got %+v, want %+v in %d parts, checksum %s", result, object, parts, copied.Checksum)
				}
				if got := w.cloud.Requests()["UploadPart"]; source.wholes.Load() != wholes || got != int64(parts) {
					t.Errorf("got %d reads of the whole and %d parts written, want %d and %d", source.wholes.Load(), got, wholes, parts)
				}
			})
		}
	}
}

// TestUnknownLengthOnTheWire checks copies if every response with content lacks the Content-Length
// header.
func TestUnknownLengthOnTheWire(t *testing.T) {
	for _, size := range []int64{10, 17*mib + 3} {
		w := newParted(t)
		w.relaying(64 * mib)
		w.cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.UnknownLength})
		object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{})
		_, copied := w.mustCopy(t, object)
		w.sameAsSource(t, "k", copied)
	}
}

// TestStreamIsReadAgain breaks the connection of a stream. It checks that the object is read again
// from the start, and that no part is made twice.
func TestStreamIsReadAgain(t *testing.T) {
	for _, at := range []int64{0, 3, 12 * mib, 17*mib + 3} {
		w, source := newOdd(t)
		source.change = func(out *s3.GetObjectOutput) {
			if source.wholes.Load() < 3 {
				cutAt(at)(out)
			}
		}
		object := w.putLarge(rich())
		_, copied := w.mustCopyWith(t, object, &uploadRecord{})
		w.sameAsSource(t, object.Key, copied)
		if got := w.cloud.Requests()["UploadPart"]; got != 4 || source.wholes.Load() != 3 {
			t.Errorf("cut at %d: got %d parts written in %d reads, want 4 in 3", at, got, source.wholes.Load())
		}
	}
}

// TestStreamFails checks that a failed stream returns the reason of the first failure, and leaks no
// upload, no slot and no memory that the next copy would wait for.
func TestStreamFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*s3.GetObjectOutput)
		fault  awsfake.Fault
		want   string
		wholes int32
		kept   bool
	}{
		{"cut each time", cutAt(12 * mib), awsfake.Fault{}, "transient", 3, true},
		{"cut after its last byte", cutAt(17*mib + 3), awsfake.Fault{}, "transient", 3, true},
		{"ends early", endAt(17 * mib), awsfake.Fault{}, "transient", 3, true},
		{"continues after its end", addTo, awsfake.Fault{}, "checksum", 1, false},
		{"reports another length", func(out *s3.GetObjectOutput) { out.ContentLength = aws.Int64(17 * mib) }, awsfake.Fault{}, "checksum", 1, false},
		{"another content", flip, awsfake.Fault{}, "checksum", 1, false},
		{"body fails otherwise", func(out *s3.GetObjectOutput) {
			out.Body = body{iotest.ErrReader(errors.New("no such thing")), out.Body}
		}, awsfake.Fault{}, "unknown", 1, false},
		{"part denied", nil, awsfake.Fault{Operation: "UploadPart", Skip: 1, Kind: awsfake.AccessDenied}, "denied", 1, false},
		{"part fails", nil, awsfake.Fault{Operation: "UploadPart", Kind: awsfake.InternalError}, "transient", 1, false},
		{"completion denied", nil, awsfake.Fault{Operation: "CompleteMultipartUpload", Kind: awsfake.AccessDenied}, "denied", 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, source := newOdd(t)
				w.relaying(1) // memory for a single part
				source.noLength, source.change = true, tt.change
				object := w.putLarge(awsfake.PutOptions{})
				remove := w.cloud.Inject(tt.fault)
				left := &uploadRecord{}
				_, err := w.copyWith(t, object, left)
				if copier.Reason(err) != tt.want || source.wholes.Load() != tt.wholes {
					t.Errorf("got %v, reason %q after %d reads, want %q after %d", err, copier.Reason(err), source.wholes.Load(), tt.want, tt.wholes)
				}
				if left.open != tt.kept || (w.destination.Uploads() == 1) != tt.kept || len(w.destination.Keys()) != 0 {
					t.Errorf("got %d uploads and %q at the destination, want the upload kept: %v", w.destination.Uploads(), w.destination.Keys(), tt.kept)
				}
				remove()
				source.change = nil
				_, copied := w.mustCopyWith(t, object, left)
				w.sameAsSource(t, object.Key, copied)
			})
		})
	}
}

// TestSmallBodyOfUnknownLength checks that a copy fails if the source does not support ranges and
// returns a body that differs from the listed object.
func TestSmallBodyOfUnknownLength(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*s3.GetObjectOutput)
		want   string
	}{
		"cut each time": {cutAt(3), "transient"}, "ends early": {endAt(3), "transient"},
		"goes on": {addTo, "checksum"}, "another content": {flip, "checksum"},
	} {
		w, source := newOdd(t)
		source.noLength = true
		source.change = tt.change
		if name == "another content" {
			// The SDK verifies the whole-object checksum when the body is read to its end.
			source.change = func(out *s3.GetObjectOutput) {
				sum := out.ChecksumCRC64NVME
				flip(out)
				out.ChecksumCRC64NVME = sum
			}
		}
		object := w.putText("k", "ten bytes.")
		if _, err := w.copy(t, object); copier.Reason(err) != tt.want || len(w.destination.Keys()) != 0 {
			t.Errorf("%s: got %v, reason %q, want %q", name, err, copier.Reason(err), tt.want)
		}
	}
}

// TestSmallBodyIsReadAgain checks that an object is copied if its body is cut short and the source
// answers the range request for the remaining bytes with the whole object.
func TestSmallBodyIsReadAgain(t *testing.T) {
	w, source := newOdd(t)
	broken := false
	source.change = func(out *s3.GetObjectOutput) {
		if !broken {
			broken = true
			cutAt(3)(out)
		}
	}
	object := w.putText("k", "ten bytes.")
	_, copied := w.mustCopy(t, object)
	w.sameAsSource(t, "k", copied)
}

// TestStreamFollowsItsSource checks that the newest version is copied if the object is overwritten
// before its stream is opened, also with a service that ignores If-Match.
func TestStreamFollowsItsSource(t *testing.T) {
	for _, pinned := range []bool{true, false} {
		w, source := newOdd(t)
		object := w.putLarge(awsfake.PutOptions{})
		source.before = func(in *s3.GetObjectInput) {
			if source.wholes.Load() == 1 {
				w.source.Put(object.Key, awsfake.SyntheticBody(19*mib, 2), awsfake.PutOptions{})
			}
			if !pinned {
				in.IfMatch = nil
			}
		}
		result, copied := w.mustCopyWith(t, object, &uploadRecord{})
		w.sameAsSource(t, object.Key, copied)
		if result.Object.Size != 19*mib || result.Object.ETag == object.ETag {
			t.Errorf("pinned %v: got %+v, want the newest version", pinned, result.Object)
		}
	}
}

// TestStreamResumes checks that, when the upload of a killed process is resumed, the whole object
// is read again and only the missing parts are made.
func TestStreamResumes(t *testing.T) {
	w, source := newOdd(t)
	object := w.putLarge(rich())
	left := w.cut(t, object, 2)
	source.wholes.Store(0)
	result, copied := w.mustCopyWith(t, object, left)
	w.sameAsSource(t, object.Key, copied)
	if got := w.cloud.Requests()["UploadPart"]; result.Resumed != 2 || got != 2 || source.wholes.Load() != 1 {
		t.Errorf("got %d parts taken over and %d made in %d reads, want 2 and 2 in 1", result.Resumed, got, source.wholes.Load())
	}
}

// TestStreamsShareTheirSlots checks, with many streams and few slots, that no stream blocks another
// and that no more requests than slots are in flight.
func TestStreamsShareTheirSlots(t *testing.T) {
	for _, most := range []int64{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			w, _ := newOdd(t)
			gate := slots(most)
			w.options.Slots = gate
			w.cloud.SetLatency(10 * time.Millisecond)
			c := copier.New(w.options)
			var copies errgroup.Group
			for i := range 5 {
				object := w.put(fmt.Sprint("k", i), awsfake.SyntheticBody(17*mib, uint64(i)), awsfake.PutOptions{})
				copies.Go(func() error {
					_, _, err := c.Copy(context.WithoutCancel(t.Context()), object, copier.Target{}, nil)
					return err
				})
			}
			if err := copies.Wait(); err != nil {
				t.Error(err)
			}
			if w.wire.worst > int(most) || !gate.idle() {
				t.Errorf("got %d requests in flight at once, want at most %d", w.wire.worst, most)
			}
		})
	}
}

// TestStreamNeedsOneBuffer checks that several streams make progress with memory for a single part.
func TestStreamNeedsOneBuffer(t *testing.T) {
	w, _ := newOdd(t)
	w.relaying(1)
	w.options.PartSize = 0
	c := copier.New(w.options)
	var copies errgroup.Group
	for i := range 3 {
		object := w.put(fmt.Sprint("k", i), awsfake.SyntheticBody(33*mib, uint64(i)), awsfake.PutOptions{})
		copies.Go(func() error {
			_, _, err := c.Copy(t.Context(), object, copier.Target{}, nil)
			return err
		})
	}
	if err := copies.Wait(); err != nil {
		t.Error(err)
	}
}

// TestStalledStream checks that a body is given up if it stalls, and if the copy is canceled.
func TestStalledStream(t *testing.T) {
	for want, patience := range map[awserr.Class]time.Duration{awserr.Canceled: time.Minute, awserr.Transient: 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			w, source := newOdd(t)
			source.stalled = true
			ctx, cancel := context.WithCancel(t.Context())
			defer time.AfterFunc(patience, cancel).Stop()
			_, _, err := copier.New(w.options).Copy(ctx, w.putLarge(awsfake.PutOptions{}), copier.Target{}, nil)
			if awserr.Classify(err) != want || w.destination.Uploads() != 0 {
				t.Errorf("got %v and %d uploads, want class %q and none", err, w.destination.Uploads(), want)
			}
		})
	}
}

// TestLengthOfTheNewest checks the result of Look for an object whose head has no length.
func TestLengthOfTheNewest(t *testing.T) {
	for _, tt := range []struct {
		name             string
		ranges, noLength bool
		want             string
	}{
		{"ranges", true, false, ""},
		{"ranges without their length", true, true, ""},
		{"no ranges", false, false, ""},
		{"neither", false, true, "unsupported"},
	} {
		for _, size := range []int64{0, 10, 17 * mib} {
			w, source := newOdd(t)
			source.ranges, source.noLength, source.headless = tt.ranges, tt.noLength, true
			want := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{})
			got, err := copier.New(w.options).Look(t.Context(), "k")
			if copier.Reason(err) != tt.want || err == nil && (got.Size != size || got.ETag != want.ETag) {
				t.Errorf("%s: got %+v, %v, want %d bytes or reason %q", tt.name, got, err, size, tt.want)
			}
		}
	}
}
