package syncer_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/admit"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	filestore "syncd/internal/checkpoint/store/file"
	"syncd/internal/copier"
	"syncd/internal/figure"
	"syncd/internal/iam"
	"syncd/internal/listing"
	"syncd/internal/metrics"
	"syncd/internal/plan"
	"syncd/internal/syncer"
	"syncd/internal/throttle"
	"syncd/internal/transfer"
)

const (
	region   = "us-west-2"
	owner    = "111111111111"
	consumer = "222222222222"
)

// world has an owner's bucket, a consumer's bucket, and the options of a syncer between them. It is
// created inside a bubble.
type world struct {
	cloud               *awsfake.Cloud
	source, destination *awsfake.Bucket
	key                 *awsfake.Key
	signer              *signer
	client              *s3.Client // signs as an administrator of the consumer's account
	admin               *s3.Client // signs as the same user, for requests that syncd never sends
	registry            *prometheus.Registry
	log                 *lines
	dir                 string
	hasState            bool // a bucket for ledgers exists
	live                listing.Live
	pages               *failingPages
	copies              copier.Options
	options             syncer.Options
	network             func(next http.RoundTripper) http.RoundTripper // network of a process; nil means the network of the cloud
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cloud := awsfake.New(awsfake.Options{})
	from, to := cloud.Account(owner), cloud.Account(consumer)
	user := to.AdminUser()
	policy := iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},
		"Action":"s3:*","Resource":["arn:aws:s3:::owner-data","arn:aws:s3:::owner-data/*"]}]}`, consumer))
	w := &world{
		cloud: cloud, key: to.CreateKey(region, nil), log: &lines{}, dir: t.TempDir(),
		source:      from.CreateBucket("owner-data", region, awsfake.BucketOptions{Policy: policy}),
		destination: to.CreateBucket("consumer-copy", region, awsfake.BucketOptions{Versioning: true}),
		signer:      &signer{good: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, "")},
	}
	meter := &throttle.Meter{}
	client := s3.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: aws.String("http://aws.invalid"), RetryMaxAttempts: 2, Credentials: w.signer,
		HTTPClient: &http.Client{Transport: cloud.RoundTripper()},
	}, func(o *s3.Options) {
		o.UsePathStyle = true
		o.APIOptions = append(o.APIOptions, admit.New().Attach, meter.Attach)
	})
	w.client, w.admin = client, s3.New(client.Options(), func(o *s3.Options) { o.APIOptions = nil })
	w.live = listing.Live{Client: client, Place: transfer.Place{Bucket: "owner-data", Account: owner}}
	w.copies = copier.Options{
		Source: client, Destination: client,
		SourcePlace: transfer.Place{Bucket: "owner-data", Account: owner}, DestinationPlace: transfer.Place{Bucket: "consumer-copy", Account: consumer}, KeyARN: w.key.ARN(), Slots: throttle.NewLevel(throttle.LevelOptions{Min: 16, Start: 16, Max: 16}).Gate(),
	}
	w.options = syncer.Options{
		Mapping: "m", Rules: plan.Rules{KeyARN: w.key.ARN()}, Store: w.store(t),
		Ledger: checkpoint.Options{Mapping: "m", FlushInterval: 10 * time.Second},
		Turns:  throttle.NewLevel(throttle.LevelOptions{Min: 8, Max: 8}).Gate(), DrainTimeout: 20 * time.Second, Meter: meter,
		Logger: slog.New(slog.NewTextHandler(w.log, nil)), Now: time.Now,
	}
	w.restart()
	return w
}

// restart makes the next syncer belong to a process that has just started.
func (w *world) restart() {
	board := figure.NewBoard()
	w.registry = prometheus.NewRegistry()
	w.options.Metrics, w.options.Figure = metrics.New(w.registry, board), board.Of("m")
}

func (w *world) store(t *testing.T) store.Store {
	t.Helper()
	store, err := filestore.Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// open returns a new syncer with the world's current options, which is closed with the test.
func (w *world) open(t *testing.T) *syncer.Syncer {
	t.Helper()
	o := w.options
	w.pages = &failingPages{Pager: w.live}
	o.Source, o.Pages, o.Copier = w.live, w.pages, copier.New(w.copies)
	s := syncer.New(o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// fill puts n one-byte objects whose names sort by number.
func (w *world) fill(n int) {
	for i := range n {
		w.put(name(i))
	}
}

func (w *world) put(key string) {
	w.source.Put(key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
}

func name(i int) string { return fmt.Sprintf("k%05d", i) }

// copied returns how many copies were requested from the destination since the start.
func (w *world) copied() int64 { return w.cloud.Requests()["CopyObject"] }

// mustRun runs a pass that must reach its end.
func mustRun(t *testing.T, s *syncer.Syncer) syncer.Summary {
	t.Helper()
	summary, err := s.Run(t.Context())
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	return summary
}

// entries closes the syncer and returns the ledger's entries by key.
func (w *world) entries(t *testing.T) map[string]record.Entry {
	t.Helper()
	entries := map[string]record.Entry{}
	w.inLedger(t, func(p *checkpoint.Pass) {
		for e, err := range p.Previous(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			entries[e.Key] = e
		}
	})
	return entries
}

// quarantine closes the syncer and returns the ledger's quarantine by key.
func (w *world) quarantine(t *testing.T) map[string]record.Quarantined {
	t.Helper()
	aside := map[string]record.Quarantined{}
	w.inLedger(t, func(p *checkpoint.Pass) {
		for q, err := range p.PreviousQuarantine(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			aside[q.Key] = q
		}
	})
	return aside
}

// inLedger opens the ledger and calls read with a pass that is not committed.
func (w *world) inLedger(t *testing.T, read func(*checkpoint.Pass)) {
	t.Helper()
	ledger, err := checkpoint.Open(t.Context(), w.store(t), checkpoint.Options{Mapping: "m"})
	if err != nil {
		t.Fatal(err)
	}
	pass, err := ledger.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read(pass)
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

// value returns the value of the given metric series, such as name{label="value"}, or 0 if the
// series does not exist.
func (w *world) value(t *testing.T, series string) float64 {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := []string{}
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			if series == family.GetName()+"{"+strings.Join(labels, ",")+"}" {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}

// signer provides credentials until it is made to fail.
type signer struct {
	good aws.CredentialsProvider

	mu    sync.Mutex
	err   error
	asked int
}

func (s *signer) Retrieve(ctx context.Context) (aws.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.err != nil {
		return aws.Credentials{}, s.err
	}
	return s.good.Retrieve(ctx)
}

func (s *signer) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.asked = err, 0
}

// lines is a log that tests can read.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

var _ io.Writer = (*lines)(nil)

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// skipIfShort skips a test whose numbers cost too much under the race detector.
func skipIfShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("its numbers cost too much under the race detector; make test runs it")
	}
}
