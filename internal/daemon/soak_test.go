package daemon_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/copier"
	"syncd/internal/daemon"
	"syncd/internal/daemon/appointment"
	"syncd/internal/fair"
	"syncd/internal/iam"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer"
	"syncd/internal/throttle"
	"syncd/internal/transfer"
)

var (
	soakFor = flag.Duration("soak", 0, "how long TestSoak works in real time; 0 skips it")
	tenants = flag.Int("tenants", 12, "how many mappings TestAnHourOfManyMappings keeps")
)

const (
	region   = "us-west-2"
	owner    = "111111111111"
	consumer = "222222222222"
)

// cloud has an owner's and a consumer's bucket and the clients to copy between them, all in this
// process.
type cloud struct {
	*awsfake.Cloud
	source, destination *awsfake.Bucket
	key                 *awsfake.Key
	client              *s3.Client
	store               store.Store
	share               *fair.Share
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{Cloud: awsfake.New(awsfake.Options{}), share: fair.NewShare(64)}
	from, to := c.Account(owner), c.Account(consumer)
	user := to.AdminUser()
	c.key = to.CreateKey(region, nil)
	c.source = from.CreateBucket("owner-data", region, awsfake.BucketOptions{Policy: iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17",
		"Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"s3:*","Resource":["arn:aws:s3:::owner-data","arn:aws:s3:::owner-data/*"]}]}`, consumer))})
	c.destination = to.CreateBucket("consumer-copy", region, awsfake.BucketOptions{})
	to.CreateBucket("consumer-state", region, awsfake.BucketOptions{})
	c.client = s3.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: aws.String("http://aws.invalid"), RetryMaxAttempts: 2,
		Credentials: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: c.RoundTripper()},
	}, func(o *s3.Options) { o.UsePathStyle = true })
	c.store = s3store.New(c.client, s3store.Options{
		Place: transfer.Place{Bucket: "consumer-state"}, LeaseFor: time.Minute, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	return c
}

// runner returns the Runner of a mapping whose objects are stored under its name.
func (c *cloud) runner(name string, o daemon.Options) daemon.Runner {
	prefix, log := name+"/", slog.New(slog.DiscardHandler)
	level := throttle.NewLevel(throttle.LevelOptions{Min: 4, Start: 8, Max: 16})
	return always{syncer.New(syncer.Options{
		Mapping: name,
		Source:  listing.Live{Client: c.client, Place: transfer.Place{Bucket: "owner-data", Prefix: prefix, Account: owner}},
		Copier: copier.New(copier.Options{
			Source: c.client, Destination: c.client, SourcePlace: transfer.Place{Bucket: "owner-data", Prefix: prefix, Account: owner},
			DestinationPlace: transfer.Place{Bucket: "consumer-copy", Prefix: prefix, Account: consumer}, KeyARN: c.key.ARN(),
			Slots: member{c.share.Member()}, Now: time.Now,
		}),
		Rules: plan.Rules{KeyARN: c.key.ARN(), Filter: plan.Filter{Prefix: prefix}},
		Store: c.store, Ledger: checkpoint.Options{Mapping: name, Holder: "soak/1", Now: time.Now, Logger: log, FlushInterval: 10 * s, KeepGenerations: 2},
		Turns: level.Gate(), DrainTimeout: 20 * s, Meter: &throttle.Meter{}, Metrics: o.Metrics, Figure: o.Board.Of(name), Logger: log, Now: time.Now,
	})}
}

// always is a Runner that is always ready.
type always struct{ *syncer.Syncer }

func (always) Ready(context.Context) error { return nil }

type member struct{ *fair.Member }

func (c *cloud) options(mappings int, schedule appointment.Schedule) daemon.Options {
	o := options()
	for i := range mappings {
		name := fmt.Sprintf("tenant-%03d", i)
		o.Mappings = append(o.Mappings, daemon.Mapping{
			Name: name, Schedule: schedule, AtOnce: true, Jitter: 30 * s,
			Open: func(context.Context) (daemon.Runner, error) { return c.runner(name, o), nil },
		})
	}
	return o
}

// TestAnHourOfManyMappings runs mappings for an hour of the bubble's time while objects keep
// arriving. The bubble fails if a goroutine is leaked.
func TestAnHourOfManyMappings(t *testing.T) {
	if testing.Short() {
		t.Skip("runs some hundred passes")
	}
	const rounds = 2
	mappings := *tenants
	// The Parquet library pools decoders. They contain channels that must not be used in another
	// bubble, so two collections empty the pool.
	runtime.GC()
	runtime.GC()
	checkpointtest.Bubble(t, func(t *testing.T) {
		c := newCloud(t)
		o := c.options(mappings, every(30*time.Minute))
		o.Rand = rand.Int64N
		put := func(round int) {
			for i := range mappings {
				c.source.Put(fmt.Sprintf("tenant-%03d/%d", i, round), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
			}
		}
		put(0)
		d, stop := start(t, o)
		for round := range rounds {
			put(round)
			time.Sleep(30 * time.Minute)
		}
		snapshot := d.Snapshot()
		stop()
		if got, want := len(c.destination.Keys()), mappings*rounds; got != want {
			t.Errorf("got %d copies after an hour, want %d", got, want)
		}
		for _, m := range snapshot.Mappings {
			if !m.Ready || m.Error != nil || m.Generation == nil || *m.Generation < rounds-1 {
				t.Errorf("%s: got generation %d, ready %v, error %+v", m.Mapping, m.Generation, m.Ready, m.Error)
			}
		}
	})
}

// TestSoak runs in real time with faults, and checks that goroutines, open files and memory stay at
// the level that they had after a tenth of the time. `make soak` runs it.
func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("give -soak a duration")
	}
	c := newCloud(t)
	for _, fault := range []awsfake.Fault{
		{Operation: "CopyObject", Bucket: "consumer-copy", Kind: awsfake.Throttle, Probability: 0.02}, {Operation: "ListObjectsV2", Bucket: "owner-data", Kind: awsfake.Reset, Probability: 0.05},
	} {
		c.Inject(fault)
	}
	ctx, cancel := context.WithTimeout(t.Context(), *soakFor)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- daemon.New(c.options(20, every(s))).Run(ctx) }()
	early := footprint{}
	tick := time.NewTicker(s)
	defer tick.Stop()
	began, n := time.Now(), 0
	for ctx.Err() == nil {
		<-tick.C
		// Always write the same keys: the source changes but does not grow.
		for range 50 {
			n++
			c.source.Put(fmt.Sprintf("tenant-%03d/%d", n%20, n%977), awsfake.BytesBody(fmt.Appendf(nil, "%d", n)), awsfake.PutOptions{})
		}
		if early == (footprint{}) && time.Since(began) > *soakFor/10 {
			early = take(t)
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	late := take(t)
	t.Logf("after a tenth %+v, in the end %+v", early, late)
	if late.goroutines > early.goroutines+20 || late.files > early.files+20 || late.heap > 2*early.heap+(16<<20) {
		t.Errorf("got %+v in the end, want about what it was: %+v", late, early)
	}
}

// footprint has the resources that a process uses.
type footprint struct {
	goroutines, files int
	heap              uint64
}

func take(t *testing.T) footprint {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return footprint{runtime.NumGoroutine(), len(files), m.HeapAlloc}
}
