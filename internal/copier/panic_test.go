package copier_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithymiddleware "github.com/aws/smithy-go/middleware"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
)

// bug is a client that panics in one operation while it is armed.
type bug struct {
	operation string
	armed     atomic.Bool
}

func (b *bug) attach(stack *smithymiddleware.Stack) error {
	return stack.Initialize.Add(smithymiddleware.InitializeMiddlewareFunc("bug", func(ctx context.Context, in smithymiddleware.InitializeInput, next smithymiddleware.InitializeHandler) (smithymiddleware.InitializeOutput, smithymiddleware.Metadata, error) {
		if b.armed.Load() && middleware.GetOperationName(ctx) == b.operation {
			panic("boom")
		}
		return next.HandleInitialize(ctx, in)
	}), smithymiddleware.After)
}

// TestAPanicIsAFailedObject triggers a bug in each request of a copy in turn. It checks that the
// object fails with an error that names the place of the bug, that no shared resource is lost, and
// that the object is copied once the bug is gone.
func TestAPanicIsAFailedObject(t *testing.T) {
	const whole, parts, streamed = "whole", "parts", "streamed"
	for _, tt := range []struct {
		way, operation string
		relay          bool
	}{
		{whole, "CopyObject", false},
		{whole, "GetObjectTagging", true},
		{whole, "GetObject", true},
		{whole, "PutObject", true},
		{parts, "HeadObject", false},
		{parts, "CreateMultipartUpload", false},
		{parts, "UploadPartCopy", false},
		{parts, "CompleteMultipartUpload", false},
		{parts, "GetObject", true},
		{parts, "UploadPart", true},
		{streamed, "UploadPart", true},
	} {
		t.Run(fmt.Sprintf("%s in %s", tt.operation, tt.way), func(t *testing.T) {
			w, object := newPanicking(t, tt.relay, tt.way == streamed)
			if tt.way == whole {
				object = w.putText("k", "x")
			}
			b := &bug{operation: tt.operation}
			b.armed.Store(true)
			bad := s3.New(w.client.Options(), s3.WithAPIOptions(b.attach))
			w.options.Destination = bad
			if tt.way != streamed {
				w.options.Source = bad
			}
			c, left := copier.New(w.options), &uploadRecord{}
			_, _, err := c.Copy(t.Context(), object, copier.Target{}, left)
			w.checkPanicked(t, object, err)
			if left.open || w.destination.Uploads() != 0 {
				t.Errorf("got %d uploads, recorded %v, want none: the upload may be the cause", w.destination.Uploads(), left.open)
			}
			b.armed.Store(false)
			if _, _, err := c.Copy(t.Context(), object, copier.Target{}, left); err != nil {
				t.Errorf("without the bug: %v", err)
			}
		})
	}
}

// newPanicking returns a world with few slots and little memory, so that a leak is noticed.
func newPanicking(t *testing.T, relay, streamed bool) (*world, listing.Object) {
	t.Helper()
	w := newParted(t)
	if streamed {
		w, _ = newOdd(t)
	}
	if relay {
		w.relaying(8 * mib)
	}
	w.options.Slots = slots(1)
	return w, w.put("k", awsfake.SyntheticBody(17*mib+3, 1), awsfake.PutOptions{})
}

func (w *world) checkPanicked(t *testing.T, object listing.Object, err error) {
	t.Helper()
	failure, ok := errors.AsType[*request.ObjectError](err)
	if !ok || failure.Key != object.Key || copier.Reason(err) != "internal" || !strings.Contains(err.Error(), "BUG: copying panicked: boom") {
		t.Errorf("got %v, reason %q, want an *ObjectError that reports the panic", err, copier.Reason(err))
	}
	if panicked, ok := errors.AsType[*request.PanicError](err); !ok || !strings.Contains(string(panicked.Stack), "_test.go") {
		t.Errorf("got %v, want a *PanicError with the stack of the bug", err)
	}
}

// TestAPanicInABody checks that a panic while a stream is read is a failure of the object.
func TestAPanicInABody(t *testing.T) {
	w, source := newOdd(t)
	w.relaying(8 * mib) // so little memory that a leaked buffer is noticed
	w.options.Slots = slots(1)
	object := w.put("k", awsfake.SyntheticBody(17*mib+3, 1), awsfake.PutOptions{})
	source.change = func(out *s3.GetObjectOutput) {
		out.Body = body{io.MultiReader(io.LimitReader(out.Body, 6*mib), panicking{}), out.Body}
	}
	c := copier.New(w.options)
	_, _, err := c.Copy(t.Context(), object, copier.Target{}, nil)
	w.checkPanicked(t, object, err)
	source.change = nil
	if _, _, err := c.Copy(t.Context(), object, copier.Target{}, nil); err != nil {
		t.Errorf("without the bug: %v", err)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("boom") }

// TestAPanicWhileLookingForACopy checks that a panic during an adoption is a failure of the object.
func TestAPanicWhileLookingForACopy(t *testing.T) {
	w := newWorld(t)
	object := w.putText("k", "x")
	b := &bug{operation: "HeadObject"}
	b.armed.Store(true)
	w.options.Destination = s3.New(w.client.Options(), s3.WithAPIOptions(b.attach))
	w.target = copier.Target{Looked: true, Present: &object}
	result, err := w.copy(t, object)
	adopted := result.Adopted
	w.checkPanicked(t, object, err)
	if adopted {
		t.Error("got an adopted copy, want none")
	}
}
