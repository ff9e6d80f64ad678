package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"syncd/config"
	"syncd/internal/checkpoint"
	"syncd/internal/copier"
	"syncd/internal/creds"
	"syncd/internal/listing"
	"syncd/internal/metrics"
	"syncd/internal/plan"
	"syncd/internal/syncer"
	"syncd/internal/throttle"
)

const (
	// defaultConcurrency is how many requests of a mapping are under way at once where the configuration leaves it open.
	defaultConcurrency = 64
	// relayMemory is what all relays of the process may hold of objects at once, in bytes.
	relayMemory = 128 << 20
)

// system is what all mappings of a process share.
type system struct {
	config   *config.Config
	process  process
	logger   *slog.Logger
	registry *prometheus.Registry
	metrics  *metrics.Metrics
	store    checkpoint.Store
	buffers  *copier.Buffers
	mappings []*mapping
}

// mapping is one mapping, ready to run.
type mapping struct {
	config.Mapping
	syncer *syncer.Syncer
}

// state is what can be known of mappings without their source and destination.
type state struct {
	config   *config.Config
	mappings []config.Mapping
	store    checkpoint.Store
}

// openState loads a configuration, with the mappings named or all of them, and opens the store of their ledgers.
func openState(_ context.Context, _ process, f flags) (*state, error) {
	c, err := config.Load(f.config)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(c, f.mappings)
	if err != nil {
		return nil, err
	}
	store, err := openStore(c.State)
	if err != nil {
		return nil, err
	}
	return &state{c, chosen, store}, nil
}

// newSystem makes the system of a configuration.
func newSystem(ctx context.Context, p process, f flags) (*system, error) {
	opened, err := openState(ctx, p, f)
	if err != nil {
		return nil, err
	}
	s := &system{
		config: opened.config, store: opened.store, process: p,
		registry: prometheus.NewRegistry(), buffers: copier.NewBuffers(relayMemory),
	}
	if s.logger, err = newLogger(p, s.config.Log, f.logLevel); err != nil {
		return nil, err
	}
	b := readBuild()
	s.metrics = metrics.New(s.registry)
	s.metrics.BuildInfo.WithLabelValues(b.version, b.revision, b.goVersion).Set(1)
	for _, m := range opened.mappings {
		built, err := s.mapping(ctx, m)
		if err != nil {
			return nil, fmt.Errorf("mapping %s: %w", m.Name, err)
		}
		s.mappings = append(s.mappings, built)
	}
	return s, nil
}

// choose returns the mappings of these names, all for none.
func choose(c *config.Config, names []string) ([]config.Mapping, error) {
	if len(names) == 0 {
		return c.Mappings, nil
	}
	var chosen []config.Mapping
	for _, name := range names {
		m, ok := c.Mapping(name)
		if !ok {
			return nil, &usageError{fmt.Errorf("find mapping %q: the configuration has none of that name", name)}
		}
		if !slices.ContainsFunc(chosen, func(c config.Mapping) bool { return c.Name == name }) {
			chosen = append(chosen, m)
		}
	}
	return chosen, nil
}

func openStore(state string) (checkpoint.Store, error) {
	location, err := config.ParseLocation(state)
	if err != nil {
		return nil, err
	}
	if location.Dir == "" {
		return nil, &usageError{fmt.Errorf("open state %s: only file: is supported by this version", state)}
	}
	store, err := checkpoint.OpenFile(location.Dir)
	if err != nil {
		return nil, fmt.Errorf("open state %s: %w", state, err)
	}
	return store, nil
}

// mapping puts the parts of one mapping together.
func (s *system) mapping(ctx context.Context, m config.Mapping) (*mapping, error) {
	if err := refuseUnsupported(s.config, m); err != nil {
		return nil, err
	}
	meter := &throttle.Meter{Observe: s.observe(m.Name)}
	source, destination, err := s.clients(ctx, m, meter)
	if err != nil {
		return nil, err
	}
	concurrency := concurrencyOf(m)
	logger := s.logger.With("mapping", m.Name)
	return &mapping{Mapping: m, syncer: syncer.New(syncer.Options{
		Mapping: m.Name,
		Source: listing.Live{
			Client: source, Bucket: m.Source.Bucket, Prefix: m.Source.Prefix, Account: m.Source.Account, RequestPayer: m.Source.RequestPayer,
		},
		Copier: s.copier(m, source, destination), Rules: rules(m),
		Store: s.store, Ledger: s.ledgerOptions(m.Name, logger),
		Concurrency: concurrency, DrainTimeout: s.config.DrainTimeout.Duration(),
		Meter: meter, Metrics: s.metrics, Logger: logger, Now: s.process.now,
	})}, nil
}

func (s *system) copier(m config.Mapping, source, destination *s3.Client) *copier.Copier {
	return copier.New(copier.Options{
		Source: source, Destination: destination,
		SourceBucket: m.Source.Bucket, SourcePrefix: m.Source.Prefix, SourceAccount: m.Source.Account,
		DestinationBucket: m.Destination.Bucket, DestinationPrefix: m.Destination.Prefix, DestinationAccount: m.Destination.Account,
		RequestPayer: m.Source.RequestPayer, KeyARN: m.Destination.KMSKey, BucketKey: m.Destination.BucketKey,
		StorageClass: m.Destination.StorageClass, PartSize: int64(m.Copy.PartSize),
		OmitTags: m.Copy.Tags == config.CarryOmit, OmitMetadata: m.Copy.Metadata == config.CarryOmit,
		Relay: s.relayed(m), Buffers: s.buffers,
		Slots: semaphore.NewWeighted(int64(concurrencyOf(m))), Now: s.process.now,
	})
}

// relayed reports whether content passes through this process: the service copies by itself only for one principal that
// may read the source and write the destination, and within one service.
func (s *system) relayed(m config.Mapping) bool {
	switch m.Copy.Mode {
	case config.CopyModeServerSide:
		return false
	case config.CopyModeRelay:
		return true
	case config.CopyModeAuto:
	}
	endpoint := func(of string) string { return cmp.Or(of, s.config.AWS.EndpointURL) }
	return m.Source.Role != m.Destination.Role || endpoint(m.Source.EndpointURL) != endpoint(m.Destination.EndpointURL)
}

// clients returns the S3 clients of both sides. Each mapping has sessions of its own: one whose role is broken takes no
// other along.
func (s *system) clients(ctx context.Context, m config.Mapping, meter *throttle.Meter) (source, destination *s3.Client, err error) {
	set, err := creds.New(ctx, creds.Options{
		Roles: s.config.Roles, EndpointURL: s.config.AWS.EndpointURL, Connections: concurrencyOf(m), Attach: meter.Attach,
		LookupEnv: s.process.lookupEnv, ReadFile: s.process.readFile, Now: s.process.now, Ambient: s.process.ambient,
	})
	if err != nil {
		return nil, nil, err
	}
	from, errFrom := set.Config(m.Source.Role, m.Source.Region)
	to, errTo := set.Config(m.Destination.Role, m.Destination.Region)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, nil, err
	}
	source = s.s3Client(from, m.Source.EndpointURL, m.Source.PathStyle, meter)
	destination = s.s3Client(to, m.Destination.EndpointURL, m.Destination.PathStyle, meter)
	return source, destination, nil
}

func (s *system) s3Client(c aws.Config, endpoint string, pathStyle *bool, meter *throttle.Meter) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) {
		if endpoint == "" {
			endpoint = s.config.AWS.EndpointURL
		}
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.UsePathStyle = s.config.AWS.PathStyle
		if pathStyle != nil {
			o.UsePathStyle = *pathStyle
		}
		o.DisableLogOutputChecksumValidationSkipped = true // the copier checks what the SDK cannot
		o.APIOptions = append(o.APIOptions, meter.Attach)
	})
}

func (s *system) observe(mapping string) func(throttle.Attempt) {
	requests := s.metrics.Requests.MustCurryWith(prometheus.Labels{"mapping": mapping})
	durations := s.metrics.RequestDuration.MustCurryWith(prometheus.Labels{"mapping": mapping})
	return func(a throttle.Attempt) {
		requests.WithLabelValues(a.Operation, string(a.Class)).Inc()
		durations.WithLabelValues(a.Operation).Observe(a.Duration.Seconds())
	}
}

func (s *system) ledgerOptions(mapping string, logger *slog.Logger) checkpoint.Options {
	return checkpoint.Options{
		Mapping: mapping, Holder: holder(), Now: s.process.now, Logger: logger,
		FlushInterval: s.config.Checkpoint.FlushInterval.Duration(),
	}
}

func rules(m config.Mapping) plan.Rules {
	return plan.Rules{KeyARN: m.Destination.KMSKey, Filter: plan.Filter{
		Prefix: m.Source.Prefix, Include: patterns(m.Filter.Include), Exclude: patterns(m.Filter.Exclude),
		MinSize: int64(m.Filter.MinSize), MaxSize: int64(m.Filter.MaxSize),
		ModifiedAfter: m.Filter.ModifiedAfter.Time, ModifiedBefore: m.Filter.ModifiedBefore.Time,
	}}
}

func patterns(globs []config.Glob) []plan.Pattern {
	var patterns []plan.Pattern
	for _, g := range globs {
		patterns = append(patterns, g)
	}
	return patterns
}

func concurrencyOf(m config.Mapping) int {
	if m.Copy.Concurrency == 0 {
		return defaultConcurrency
	}
	return int(m.Copy.Concurrency)
}

// holder names this process to others that want a lease it holds.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}
