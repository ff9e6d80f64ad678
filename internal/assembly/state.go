package assembly

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

// State is a configuration and the store of its ledgers. Opening it requires no access to sources
// and destinations.
type State struct {
	Config   *config.Config
	Mappings []config.Mapping
	Store    store.Store
	Logger   *slog.Logger
}

// OpenState loads the configuration and opens the store of the ledgers. Mappings contains the
// mappings that the flags name, or all mappings if they name none. If renewed is not nil, it is
// called each time a lease is renewed, with the time at which the lease now expires. Leases of a
// store in a folder do not expire.
func OpenState(ctx context.Context, p invocation.Process, f invocation.Flags, renewed func(mapping string, until time.Time), checks ...config.Check) (*State, error) {
	s, err := LoadState(p, f, checks...)
	if err != nil {
		return nil, err
	}
	if s.Store, err = s.Open(ctx, p, renewed); err != nil {
		return nil, err
	}
	return s, nil
}

// Open opens the store of the ledgers. See OpenState for renewed.
func (s *State) Open(ctx context.Context, p invocation.Process, renewed func(mapping string, until time.Time)) (store.Store, error) {
	opened, err := openStore(ctx, p, s.Config, leasing{s.Logger, renewed})
	if err != nil {
		return nil, fmt.Errorf("open state %s: %w", s.Config.State, err)
	}
	return opened, nil
}

// LoadState is like OpenState, but does not open the store.
func LoadState(p invocation.Process, f invocation.Flags, checks ...config.Check) (*State, error) {
	c, chosen, logger, err := invocation.Load(p, f, checks...)
	if err != nil {
		return nil, err
	}
	invocation.LogWarnings(logger, c)
	for _, at := range c.Endpoints() {
		if endpoint.Exposed(at) {
			logger.Warn("endpoint has no TLS, requests can be read and changed in transit", "endpoint", at)
		}
	}
	return &State{Config: c, Mappings: chosen, Logger: logger}, nil
}

// leasing receives the events of leases.
type leasing struct {
	logger  *slog.Logger
	renewed func(mapping string, until time.Time)
}

func openStore(ctx context.Context, p invocation.Process, c *config.Config, leases leasing) (store.Store, error) {
	place, isOnS3 := c.StatePlace()
	if !isOnS3 {
		location, err := config.ParseLocation(c.State)
		if err != nil {
			return nil, err
		}
		return filestore.Open(location.Dir)
	}
	client, err := StateClient(ctx, p, c, leases.logger)
	if err != nil {
		return nil, err
	}
	return s3store.New(client, s3store.Options{
		Place: place, KMSKey: c.Checkpoint.KMSKey,
		LeaseFor: c.Checkpoint.Lease.Duration(), Now: p.Now, Logger: leases.logger, Renewed: leases.renewed,
	}), nil
}

// StateClient returns the S3 client for the bucket of the state. It uses the configured role for
// the state, or the ambient credentials.
func StateClient(ctx context.Context, p invocation.Process, c *config.Config, logger *slog.Logger) (*s3.Client, error) {
	set, err := creds.New(ctx, CredentialsOf(p, c, c.AssumedStateRoles(), logger))
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
