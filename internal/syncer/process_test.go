package syncer_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/store"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/copier"
	"syncd/internal/syncer"
	"syncd/internal/transfer"
)

// process is a process that runs a syncer. A killed process has no further observable effects: it
// sends no requests, and writes nothing to its disk.
type process struct {
	*syncer.Syncer
	dead atomic.Bool
	life time.Duration   // how long a pass runs before the process is killed; 0 means no limit
	ctx  context.Context //nolint:containedctx // the context of the process's passes, which ends with the process
	end  context.CancelFunc
}

var errKilled = errors.New("the process was killed")

// kill ends the process at once; drain asks it to end.
func (p *process) kill() {
	p.dead.Store(true)
	p.end()
}

func (p *process) drain() { p.end() }

// wire is the connection of a process to the services.
type wire struct {
	next http.RoundTripper
	of   *process
}

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.of.dead.Load() {
		return nil, errKilled
	}
	res, err := w.next.RoundTrip(r)
	if w.of.dead.Load() {
		return nil, errors.Join(errKilled, err) // requests in flight may have been carried out
	}
	return res, err
}

// disk is the access of a process to a folder.
type disk struct {
	store.Store
	of *process
}

func (d disk) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	if d.of.dead.Load() {
		return errKilled
	}
	return d.Store.Create(ctx, name, write)
}

func (d disk) Delete(ctx context.Context, name string) error {
	if d.of.dead.Load() {
		return errKilled
	}
	return d.Store.Delete(ctx, name)
}

// stores returns the kinds of store for the ledger of a process.
func stores() []string { return []string{"folder", "S3"} }

// start starts a process with the world's current options and its ledger in a store of the given
// kind.
func (w *world) start(t *testing.T, store string) *process {
	t.Helper()
	w.settle()
	p := &process{}
	p.ctx, p.end = context.WithCancel(t.Context())
	client := s3.New(w.client.Options(), func(o *s3.Options) {
		o.HTTPClient = &http.Client{Transport: wire{w.way(), p}}
	})
	o, copies := w.options, w.copies
	live := w.live
	live.Client, copies.Source, copies.Destination = client, client, client
	o.Source, o.Copier = live, copier.New(copies)
	if o.RangeKeys > 0 {
		o.Pages = live // the test is about ranges
	}
	if w.options.Destination != nil {
		there := live
		there.Place.Bucket, there.Place.Account, there.Place.Prefix = copies.DestinationPlace.Bucket, consumer, copies.DestinationPlace.Prefix
		o.Destination = there
	}
	o.Store = disk{w.store(t), p}
	if store == "S3" {
		w.stateBucket()
		o.Store = s3store.New(client, s3store.Options{Place: transfer.Place{Bucket: stateBucket, Prefix: "syncd/", Account: consumer}, LeaseFor: time.Minute})
	}
	p.Syncer = syncer.New(o)
	return p
}

// way returns the network of a process.
func (w *world) way() http.RoundTripper {
	if w.network == nil {
		return w.cloud.RoundTripper()
	}
	return w.network(w.cloud.RoundTripper())
}

const stateBucket = "consumer-state"

// stateBucket creates the bucket for ledgers if it does not exist yet.
func (w *world) stateBucket() {
	if !w.hasState {
		w.cloud.Account(consumer).CreateBucket(stateBucket, region, awsfake.BucketOptions{})
		w.hasState = true
	}
}

// run runs a pass. It waits for the lease of a killed process to expire.
func (p *process) run(t *testing.T) (syncer.Summary, error) {
	t.Helper()
	for {
		kill := func() bool { return false }
		if p.life > 0 {
			kill = time.AfterFunc(p.life, p.kill).Stop
		}
		summary, err := p.Run(p.ctx)
		kill()
		if _, isHeld := errors.AsType[*store.LeaseHeldError](err); !isHeld {
			return summary, err
		}
		time.Sleep(time.Second)
	}
}

// finish ends a process that has nothing more to do.
func (p *process) finish(t *testing.T) {
	t.Helper()
	p.end()
	if err := p.Close(); err != nil && !p.dead.Load() {
		t.Errorf("close: %v", err)
	}
}
