package syncer_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/syncer"
)

// poisoned is a client that panics at every request for one key.
type poisoned struct {
	*s3.Client
	key string
}

func (p poisoned) CopyObject(ctx context.Context, in *s3.CopyObjectInput, opts ...func(*s3.Options)) (*s3.CopyObjectOutput, error) {
	p.bite(in.Key)
	return p.Client.CopyObject(ctx, in, opts...)
}

func (p poisoned) HeadObject(ctx context.Context, in *s3.HeadObjectInput, opts ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	p.bite(in.Key)
	return p.Client.HeadObject(ctx, in, opts...)
}

func (p poisoned) bite(key *string) {
	if aws.ToString(key) == p.key {
		panic("boom")
	}
}

// TestAPoisonedObject checks that an object that causes a panic, when it is copied or when its copy
// is looked up, is quarantined and all other objects are copied.
func TestAPoisonedObject(t *testing.T) {
	for _, present := range []bool{false, true} {
		checkpointtest.Bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fill(10)
			if present {
				w.destination.Put(name(5), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{KeyARN: w.key.ARN()})
				there := w.live
				there.Place.Bucket, there.Place.Account = "consumer-copy", consumer
				w.options.Destination = there
			}
			w.copies.Destination = poisoned{w.client, name(5)}
			s := w.open(t)
			got := mustRun(t, s)
			if got.Copied != 9 || got.Exit != syncer.ExitQuarantined || !cmp.Equal(got.Quarantined, map[string]int64{"internal": 1}) {
				t.Errorf("present %t: got %+v, want one object set aside and nine copied", present, got)
			}
			if log := w.log.String(); strings.Count(log, `msg="copying panicked"`) != 1 || !strings.Contains(log, "poison_test.go") {
				t.Errorf("present %t: got this log, want one line with the stack:\n%s", present, log)
			}
			w.copies.Destination = w.client
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if got := mustRun(t, w.open(t)); got.Copied+got.Adopted != 1 {
				t.Errorf("present %t, without the bug: got %+v, want the object copied", present, got)
			}
		})
	}
}
