// Package assembly is the composition root: the only package that builds the parts of the program
// from the configuration.
//
// New builds a System, which contains a configuration and its mappings. OpenState opens only the
// store of the ledgers. Quotas, buffers, connections and everything else that mappings share are
// created once for the process.
//
// Other packages make all decisions about objects. The commands and package daemon decide when
// passes run.
//
// Terms: a System is a configuration with mappings that are ready to run. Shared contains what
// these mappings share. A Reloader rebuilds mappings when the configuration has changed. A Runner
// runs the passes of a mapping in the daemon.
package assembly

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/config/value"
	"syncd/internal/access"
	"syncd/internal/checkpoint"
	"syncd/internal/copier"
	"syncd/internal/copier/request"
	"syncd/internal/creds"
	"syncd/internal/invocation"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer"
	"syncd/internal/syncer/deletion"
	"syncd/internal/syncer/provenance"
	"syncd/internal/throttle"
	"syncd/internal/transfer"
)

// System is a configuration with mappings that are ready to run.
type System struct {
	*Shared
	Config   *config.Config
	Mappings []*Mapping
}

// Mapping is one mapping, ready to run.
type Mapping struct {
	config.Mapping
	Syncer              *syncer.Syncer
	source, destination *s3.Client
	from, to            transfer.Place
	sessions            int // number of sessions that a pass needs, including those of chained roles
}

// Clients returns the clients that the passes of the mapping use.
func (m *Mapping) Clients() (source, destination *s3.Client) { return m.source, m.destination }

// New reads the configuration that the flags name and builds a System from it. The configuration
// must pass invocation.Gate and the additional checks.
func New(ctx context.Context, p invocation.Process, f invocation.Flags, checks ...config.Check) (*System, error) {
	shared, opened, err := openShared(ctx, p, f, checks)
	if err != nil {
		return nil, err
	}
	s := &System{Shared: shared, Config: opened.Config}
	for _, m := range opened.Mappings {
		built, err := build(ctx, shared, opened.Config, m)
		if err != nil {
			return nil, fmt.Errorf("mapping %s: %w", m.Name, err)
		}
		s.Mappings = append(s.Mappings, built)
	}
	return s, nil
}

// builder builds the parts of one mapping from a configuration.
type builder struct {
	*Shared
	config   *config.Config
	mapping  config.Mapping
	from, to transfer.Place
}

// build builds the parts of one mapping. It depends on no other mapping, and changes nothing that
// mappings share.
func build(ctx context.Context, shared *Shared, c *config.Config, m config.Mapping) (*Mapping, error) {
	from, to := c.Places(m)
	b := builder{shared, c, m, from, to}
	terms := b.terms()
	meter := &throttle.Meter{Observe: b.observe(plan.NewQuoter(terms))}
	pace := b.pace()
	source, destination, err := b.clients(ctx, meter, pace)
	if err != nil {
		return nil, err
	}
	pace.show(b.Board.Of(m.Name))
	logger := b.Logger.With("mapping", m.Name)
	return &Mapping{Mapping: m, source: source, destination: destination, from: from, to: to, sessions: sessionsOf(c, m), Syncer: syncer.New(syncer.Options{
		Mapping: m.Name,
		Source:  listing.Live{Client: source, Place: from}, Pages: listing.Live{Client: source, Place: from}, Destination: listing.Live{Client: destination, Place: to},
		Copier: b.copier(source, destination, pace), Rules: b.rules(), Settings: SettingsOf(c, m), Rekey: b.rekey, Delete: deletesOf(m), Inspect: m.Verify.Sample / 100,
		Store: b.Store, Ledger: b.ledger(), Terms: terms,
		Limit: b.listers, Turns: pace.level.Gate(), DrainTimeout: c.DrainTimeout.Duration(),
		Meter: meter, Metrics: b.Metrics, Figure: b.Board.Of(m.Name), Logger: logger, Now: b.Process.Now,
	})}, nil
}

// deletesOf returns when copies of deleted objects are deleted.
func deletesOf(m config.Mapping) deletion.Settings {
	if !m.Delete.Enabled {
		return deletion.Settings{}
	}
	return deletion.Settings{After: m.Delete.AfterPasses, MaxObjects: m.Delete.MaxObjects, MaxPercent: m.Delete.MaxPercent}
}

// SettingsOf returns the settings of a mapping that its ledger records.
func SettingsOf(c *config.Config, m config.Mapping) provenance.Settings {
	source, destination := c.Places(m)
	return provenance.Settings{Source: source, Destination: destination, KeyARN: m.Destination.KMSKey, StorageClass: m.Destination.StorageClass}
}

func (b builder) copier(source, destination *s3.Client, pace pace) *copier.Copier {
	m, to, writer := b.mapping, b.to, b.config.Roles[b.to.Role]
	there := b.peers.of(to.Service())
	return copier.New(copier.Options{
		Source: source, Destination: destination,
		SourcePlace: b.from, DestinationPlace: to, Settings: b.config.Transfer(m), Buffers: b.buffers,
		KeyARN: m.Destination.KMSKey, BucketKey: m.Destination.BucketKey,
		Initiator: writer.ARN, Session: writer.SessionName,
		OverwriteAny: b.overwritesAny(), Peer: there,
		ToS3:  func() bool { return to.Service() == "" || there.Name() == serverOfAWS },
		Slots: slots{pace.level.Gate(), b.share.Member()}, Bytes: pace.bytes, Now: b.Process.Now,
	})
}

// serverOfAWS is the Server header of responses from Amazon S3.
const serverOfAWS = "AmazonS3"

// overwritesAny reports whether foreign objects at a mapping's destination may be replaced.
func (b builder) overwritesAny() bool {
	return b.takeOver || b.mapping.Copy.Overwrite == config.OverwriteAny
}

// clients returns the S3 clients of both sides. Each mapping has its own sessions, so that a broken
// role affects no other mapping. Connections and the other layers below the sessions are shared by
// all mappings.
func (b builder) clients(ctx context.Context, meter *throttle.Meter, pace pace) (source, destination *s3.Client, err error) {
	c, m := b.config, b.mapping
	o := CredentialsOf(b.Process, c, c.AssumedRoles(m), b.Logger)
	o.Admission = b.admission
	o.Attach = both(meter.Attach, (&throttle.Guard{Service: pace.sts}).Attach)
	o.SessionPolicy = func(role string) (string, error) { return access.SessionPolicyText(c, m, role) }
	set, err := creds.New(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	reader, errFrom := set.Config(b.from.Role, b.from.Region)
	writer, errTo := set.Config(b.to.Role, b.to.Region)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, nil, err
	}
	source = newS3Client(reader, b.address(m.Source.EndpointURL, m.Source.PathStyle), throttle.Patience, meter.Attach,
		pace.guard(pace.source, pace.decrypt), b.peers.of(b.from.Service()).Attach, request.TolerateKeys)
	destination = newS3Client(writer, b.address(m.Destination.EndpointURL, m.Destination.PathStyle), throttle.Patience, meter.Attach,
		pace.guard(pace.destination, pace.encrypt), b.peers.of(b.to.Service()).Attach, request.TolerateKeys)
	b.showExpiry(set)
	return source, destination, nil
}

// showExpiry makes the metrics and the status page show when the mapping's sessions expire.
func (b builder) showExpiry(set *creds.Set) {
	figure := b.Board.Of(b.mapping.Name)
	for side, role := range map[string]string{"source": b.from.Role, "destination": b.to.Role} {
		figure.AskCredentials(side, func() (time.Time, bool) {
			end, ok := set.Expiry(role)
			return end.Truncate(time.Second), ok
		})
	}
}

func (b builder) address(url string, style *bool) address {
	return address{url: cmp.Or(url, b.config.AWS.EndpointURL), pathStyle: pathStyle(b.config, style)}
}

// ledger returns the options of a mapping's ledger. The ledger adds the name of the mapping to its
// log lines itself, so the logger must not contain it.
func (b builder) ledger() checkpoint.Options {
	return checkpoint.Options{
		Mapping: b.mapping.Name, Holder: Holder(), Now: b.Process.Now, Logger: b.Logger,
		FlushInterval: b.config.Checkpoint.FlushInterval.Duration(), KeepGenerations: int(b.config.Checkpoint.KeepGenerations),
		KeepFor: b.config.Checkpoint.KeepFor.Duration(), Encoders: b.encoders,
	}
}

func (b builder) rules() plan.Rules {
	m := b.mapping
	return plan.Rules{KeyARN: m.Destination.KMSKey, OverwriteAny: b.overwritesAny(), Filter: plan.Filter{
		Prefix: b.from.Prefix, Include: patterns(m.Filter.Include), Exclude: patterns(m.Filter.Exclude),
		MinSize: int64(m.Filter.MinSize), MaxSize: int64(m.Filter.MaxSize),
		ModifiedAfter: m.Filter.ModifiedAfter.Time, ModifiedBefore: m.Filter.ModifiedBefore.Time,
	}}
}

func patterns(globs []value.Glob) []plan.Pattern {
	var patterns []plan.Pattern
	for _, g := range globs {
		patterns = append(patterns, g)
	}
	return patterns
}

// Holder returns the name under which this process acquires leases: HOST/PID.
func Holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// pace returns the limits of a mapping. KMS counts requests by calling account and region, S3 by
// bucket, and STS by account.
func (b builder) pace() pace {
	m, from, to := b.mapping, b.from, b.to
	p := pace{
		level:       throttle.NewLevel(concurrencyOf(m)),
		source:      b.quotas.of("source", from.Service(), cmp.Or(from.Holder(), from.Identity())),
		destination: b.quotas.of("destination", to.Service(), to.Bucket),
		encrypt:     b.quotas.of("kms", b.caller(to.Role), to.Region),
		sts:         b.quotas.of("sts", to.Region),
		bytes:       throttle.NewBytes(int64(m.Limits.BytesPerSecond)),
	}
	p.decrypt = p.encrypt
	if b.caller(from.Role) != b.caller(to.Role) || from.Region != to.Region {
		p.decrypt = b.quotas.of("kms", b.caller(from.Role), from.Region)
	}
	if n := m.Limits.RequestsPerSecond; n > 0 {
		p.cap = throttle.NewController(throttle.ControllerOptions{Name: "limits.requests_per_second", Cap: float64(n)})
	}
	if n := m.Limits.KMSRequestsPerSecond; n > 0 {
		p.kmsCap = throttle.NewController(throttle.ControllerOptions{Name: "limits.kms_requests_per_second", Cap: float64(n)})
	}
	return p
}

// caller returns the account whose quotas the requests of a role count against. For the ambient
// credentials, whose account is not known here, it returns "ambient".
func (b builder) caller(role string) string {
	return cmp.Or(b.config.Roles[role].Account(), "ambient")
}

// terms returns what determines the cost and the duration of a mapping's copies.
func (b builder) terms() plan.Terms {
	m := b.mapping
	owner := func(role string) bool {
		account := b.config.Roles[role].Account()
		return account != "" && account == b.from.Account
	}
	how := b.config.Transfer(m)
	how.RelayMemory = relayMemory
	return plan.Terms{
		Settings: how, Sweeps: b.config.Roles[b.to.Role].ARN != "",
		BucketKey: m.Destination.BucketKey, Source: b.from, Destination: b.to, ReaderIsOwner: owner(b.from.Role), WriterIsOwner: owner(b.to.Role),
		Pace: plan.Pace{
			Concurrency: concurrencyOf(m).Max, RequestsPerSecond: float64(m.Limits.RequestsPerSecond),
			KMSRequestsPerSecond: float64(m.Limits.KMSRequestsPerSecond), BytesPerSecond: float64(m.Limits.BytesPerSecond),
		},
	}
}
