package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/internal/checkpoint/store"
	filestore "syncd/internal/checkpoint/store/file"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/creds"
	"syncd/internal/endpoint"
	"syncd/internal/invocation"
	"syncd/internal/throttle"
)

// state is what can be known of mappings without their source and destination.
type state struct {
	config   *config.Config
	mappings []config.Mapping
	store    store.Store
	logger   *slog.Logger
}

// openState loads a configuration, with the mappings named or all of them, and opens the store of their ledgers. Renewed,
// unless it is nil, is called for leases that end by themselves.
func openState(ctx context.Context, p invocation.Process, f invocation.Flags, renewed func(mapping string, until time.Time), checks ...config.Check) (*state, error) {
	s, err := loadState(p, f, checks...)
	if err != nil {
		return nil, err
	}
	if s.store, err = openStore(ctx, p, s.config, leasing{s.logger, renewed}); err != nil {
		return nil, fmt.Errorf("open state %s: %w", s.config.State, err)
	}
	return s, nil
}

// loadState is openState without the store.
func loadState(p invocation.Process, f invocation.Flags, checks ...config.Check) (*state, error) {
	c, chosen, logger, err := invocation.Load(p, f, checks...)
	if err != nil {
		return nil, err
	}
	invocation.LogWarnings(logger, c)
	for _, at := range c.Endpoints() {
		if endpoint.Exposed(at) {
			logger.Warn("endpoint without TLS, what is sent there can be read and changed on the way", "endpoint", at)
		}
	}
	return &state{config: c, mappings: chosen, logger: logger}, nil
}

// leasing is who is told of leases.
type leasing struct {
	logger  *slog.Logger
	renewed func(mapping string, until time.Time)
}

func openStore(ctx context.Context, p invocation.Process, c *config.Config, told leasing) (store.Store, error) {
	location, err := config.ParseLocation(c.State)
	if err != nil {
		return nil, err
	}
	if location.Dir != "" {
		return filestore.Open(location.Dir)
	}
	client, err := stateClient(ctx, p, c, told.logger)
	if err != nil {
		return nil, err
	}
	return s3store.New(client, s3store.Options{
		Bucket: location.Bucket, Prefix: location.Prefix, Account: c.StateAccount(), KMSKey: c.Checkpoint.KMSKey,
		LeaseFor: c.Checkpoint.Lease.Duration(), Now: p.Now, Logger: told.logger, Renewed: told.renewed,
	}), nil
}

// stateClient returns the S3 client of the state's bucket, with a role of its own or the ambient credentials.
func stateClient(ctx context.Context, p invocation.Process, c *config.Config, logger *slog.Logger) (*s3.Client, error) {
	set, err := creds.New(ctx, credentialsOf(p, c, c.AssumedStateRoles(), logger))
	if err != nil {
		return nil, err
	}
	at, err := set.Config(c.Checkpoint.Role, c.StateRegion())
	if err != nil {
		return nil, err
	}
	return newS3Client(at, address{
		url: cmp.Or(c.Checkpoint.EndpointURL, c.AWS.EndpointURL), pathStyle: pathStyle(c, c.Checkpoint.PathStyle),
	}, throttle.Patience), nil
}
