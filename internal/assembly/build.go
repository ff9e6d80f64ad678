// Package assembly is the composition root: the only place where the configuration and the parts meet.
//
// It promises that a command gets what it works with ready made: New makes the System of a configuration with its mappings, OpenState the
// store of their ledgers alone. What mappings share, such as quotas, buffers and connections, is made once for the process.
//
// It leaves every decision about objects to the packages beneath, and what is run when to the commands and to package daemon. A System is
// what all mappings of a process share; a Mapping is one of them, ready to run. A Reloader builds mappings again when the configuration has
// changed; a Runner is a mapping as the daemon runs it.
package assembly

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"github.com/prometheus/client_golang/prometheus"

	"syncd/config"
	"syncd/config/value"
	"syncd/internal/access"
	"syncd/internal/admit"
	"syncd/internal/awserr"
	"syncd/internal/buildinfo"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/copier/content"
	"syncd/internal/copier/request"
	"syncd/internal/creds"
	"syncd/internal/endpoint"
	"syncd/internal/invocation"
	"syncd/internal/listing"
	"syncd/internal/metrics"
	"syncd/internal/peer"
	"syncd/internal/plan"
	"syncd/internal/syncer"
	"syncd/internal/syncer/provenance"
	"syncd/internal/throttle"
	"syncd/internal/transfer"
)

// relayMemory is what all relays of the process may hold of objects at once, in bytes.
const relayMemory = 96 << 20

// System is what all mappings of a process share.
type System struct {
	Config   *config.Config
	Process  invocation.Process
	Logger   *slog.Logger
	Registry *prometheus.Registry
	Metrics  *metrics.Metrics
	Store    store.Store
	buffers  *content.Buffers
	encoders *chunk.Encoders
	quotas   quotas
	share    *throttle.Share
	sts      spacing
	door     *admit.Door
	peers    map[string]*peer.Peer // by the name of a service
	rekey    bool
	takeOver bool // replaces what is foreign
	Mappings []*Mapping
}

// Mapping is one mapping, ready to run.
type Mapping struct {
	config.Mapping
	Syncer              *syncer.Syncer
	source, destination *s3.Client
}

// Clients are what the passes of the mapping send their requests with.
func (m *Mapping) Clients() (source, destination *s3.Client) { return m.source, m.destination }

// New makes the system of a configuration that passes the gate, and further checks.
func New(ctx context.Context, p invocation.Process, f invocation.Flags, checks ...config.Check) (*System, error) {
	registry := prometheus.NewRegistry()
	house := metrics.New(registry)
	opened, err := OpenState(ctx, p, f, func(mapping string, until time.Time) {
		house.LeaseExpiry.WithLabelValues(mapping).Set(float64(until.Unix()))
	}, append(invocation.Gate(), checks...)...)
	if err != nil {
		return nil, err
	}
	s := &System{
		Config: opened.Config, Store: opened.Store, Logger: opened.Logger, Process: p, rekey: f.Rekey, takeOver: f.TakeOver,
		door: admit.New(), peers: map[string]*peer.Peer{}, Registry: registry, Metrics: house, buffers: content.NewBuffers(relayMemory), encoders: chunk.NewEncoders(),
		share: throttle.NewShare(int(opened.Config.Concurrency)), sts: spacing{perSecond: stsRate},
	}
	if p.Shared != nil {
		s.Metrics.ClockSkew.Set(func() (float64, bool) {
			ahead, ok := p.Shared.Clock.Skew()
			return ahead.Seconds(), ok
		})
	}
	b := buildinfo.Read()
	s.Metrics.BuildInfo.WithLabelValues(b.Version, b.Revision, b.GoVersion).Set(1)
	for _, m := range opened.Mappings {
		built, err := s.mapping(ctx, m)
		if err != nil {
			return nil, fmt.Errorf("mapping %s: %w", m.Name, err)
		}
		s.Mappings = append(s.Mappings, built)
	}
	return s, nil
}

// mapping puts the parts of one mapping together.
func (s *System) mapping(ctx context.Context, m config.Mapping) (*Mapping, error) {
	terms := s.terms(m)
	from, to := s.Config.Places(m)
	meter := &throttle.Meter{Observe: s.observe(m.Name, plan.NewQuoter(terms))}
	pace := s.paceOf(m)
	source, destination, err := s.Clients(ctx, m, meter, pace)
	if err != nil {
		return nil, err
	}
	pace.show(s.Metrics, m.Name)
	logger := s.Logger.With("mapping", m.Name)
	return &Mapping{Mapping: m, source: source, destination: destination, Syncer: syncer.New(syncer.Options{
		Mapping: m.Name,
		Source:  live(source, from), Destination: live(destination, to),
		Copier: s.copier(m, source, destination, pace), Rules: s.rules(m), Settings: SettingsOf(s.Config, m), ServiceOf: endpoint.Service, Rekey: s.rekey,
		Store: s.Store, Ledger: s.ledgerOptions(m.Name), Terms: terms,
		Turns: pace.level.Gate(), DrainTimeout: s.Config.DrainTimeout.Duration(),
		Meter: meter, Metrics: s.Metrics, Logger: logger, Now: s.Process.Now,
	})}, nil
}

// live is the listing of a place.
func live(client *s3.Client, p transfer.Place) listing.Live {
	return listing.Live{Client: client, Bucket: p.Bucket, Prefix: p.Prefix, Account: p.Account, RequestPayer: p.RequestPayer}
}

// SettingsOf are what the ledger records of a mapping.
func SettingsOf(c *config.Config, m config.Mapping) provenance.Settings {
	source, destination := c.Places(m)
	return provenance.Settings{Source: placeOf(source), Destination: placeOf(destination), KeyARN: m.Destination.KMSKey, StorageClass: m.Destination.StorageClass}
}

// placeOf is a place as the ledger records it.
func placeOf(p transfer.Place) provenance.Place {
	return provenance.Place{Endpoint: p.Service(), Bucket: p.Identity(), Prefix: p.Prefix}
}

func (s *System) copier(m config.Mapping, source, destination *s3.Client, pace pace) *copier.Copier {
	from, to := s.Config.Places(m)
	there := s.peer(to.Service())
	return copier.New(copier.Options{
		Source: source, Destination: destination,
		SourcePlace: from, DestinationPlace: to, Settings: s.Config.Transfer(m), Buffers: s.buffers,
		KeyARN: m.Destination.KMSKey, BucketKey: m.Destination.BucketKey, ACL: aclOf(m),
		Initiator: s.Config.Roles[m.Destination.Role].ARN, Session: s.Config.Roles[m.Destination.Role].SessionName,
		OverwriteAny: s.overwritesAny(m), Peer: there,
		ToS3:  func() bool { return to.Service() == "" || there.Name() == serverOfAWS },
		Slots: slots{pace.level.Gate(), s.share.Member()}, Bytes: pace.bytes, Now: s.Process.Now,
	})
}

// serverOfAWS is what S3 calls itself in the Server header of its answers.
const serverOfAWS = "AmazonS3"

// overwritesAny reports whether what is foreign at a mapping's destination may be replaced.
func (s *System) overwritesAny(m config.Mapping) bool {
	return s.takeOver || m.Copy.Overwrite == config.OverwriteAny
}

// peer returns what is known of a service by its answers: of one, whatever mapping asked.
func (s *System) peer(service string) *peer.Peer {
	if s.peers[service] == nil {
		s.peers[service] = new(peer.Peer)
	}
	return s.peers[service]
}

// aclOf returns the ACL that copies are written with, "" for none.
func aclOf(m config.Mapping) string {
	if m.Copy.ACL == config.ACLOmit {
		return ""
	}
	return string(m.Copy.ACL)
}

// Clients returns the S3 clients of both sides. Each mapping has sessions of its own: one whose role is broken takes no
// other along. What lies beneath is the same for all.
func (s *System) Clients(ctx context.Context, m config.Mapping, meter *throttle.Meter, pace pace) (source, destination *s3.Client, err error) {
	c := s.Config // a reload replaces it, and sessions are assumed at any time
	o := CredentialsOf(s.Process, c, c.AssumedRoles(m), s.Logger)
	o.Door = s.door
	o.Attach = both(meter.Attach, (&throttle.Guard{Service: pace.sts}).Attach)
	o.SessionPolicy = func(role string) (string, error) { return access.SessionPolicyText(c, m, role) }
	set, err := creds.New(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	from, errFrom := set.Config(m.Source.Role, m.Source.Region)
	to, errTo := set.Config(m.Destination.Role, m.Destination.Region)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, nil, err
	}
	source = newS3Client(from, s.address(m.Source.EndpointURL, m.Source.PathStyle), throttle.Patience, meter.Attach,
		pace.guard(pace.source, pace.decrypt), s.peer(c.Service(m.Source.EndpointURL)).Attach, request.TolerateKeys)
	destination = newS3Client(to, s.address(m.Destination.EndpointURL, m.Destination.PathStyle), throttle.Patience, meter.Attach,
		pace.guard(pace.destination, pace.encrypt), s.peer(c.Service(m.Destination.EndpointURL)).Attach, request.TolerateKeys)
	s.showExpiry(m, set)
	return source, destination, nil
}

// both hangs two things on a client's middleware.
func both(first, second func(*middleware.Stack) error) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error { return errors.Join(first(stack), second(stack)) }
}

// showExpiry has the metrics ask when the sessions of a mapping end.
func (s *System) showExpiry(m config.Mapping, set *creds.Set) {
	for side, role := range map[string]string{"source": m.Source.Role, "destination": m.Destination.Role} {
		s.Metrics.CredentialExpiry.Set(func() (float64, bool) {
			end, ok := set.Expiry(role)
			return float64(end.Unix()), ok
		}, m.Name, side)
	}
}

// address is where requests go; the zero address is AWS itself.
type address struct {
	url       string
	pathStyle bool
}

func (s *System) address(url string, style *bool) address {
	return address{url: cmp.Or(url, s.Config.AWS.EndpointURL), pathStyle: pathStyle(s.Config, style)}
}

// pathStyle is the setting of one side, or that of all.
func pathStyle(c *config.Config, style *bool) bool {
	if style != nil {
		return *style
	}
	return c.AWS.PathStyle
}

// newS3Client makes a client with middleware hung on it.
func newS3Client(c aws.Config, at address, attach ...func(*middleware.Stack) error) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) {
		if at.url != "" {
			o.BaseEndpoint = &at.url
		}
		o.UsePathStyle = at.pathStyle
		o.DisableLogOutputChecksumValidationSkipped = true // the copier checks what the SDK cannot
		o.APIOptions = append(o.APIOptions, attach...)
	})
}

// observe counts the requests of a mapping, with what each costs.
func (s *System) observe(mapping string, prices plan.Quoter) func(throttle.Attempt) {
	cost := s.Metrics.Cost.WithLabelValues(mapping)
	requests := s.Metrics.Requests.MustCurryWith(prometheus.Labels{"mapping": mapping})
	durations := s.Metrics.RequestDuration.MustCurryWith(prometheus.Labels{"mapping": mapping})
	for _, operation := range deniable() {
		requests.WithLabelValues(operation, string(awserr.Denied))
	}
	return func(a throttle.Attempt) {
		requests.WithLabelValues(a.Operation, string(a.Class)).Inc()
		durations.WithLabelValues(a.Operation).Observe(a.Duration.Seconds())
		if charged(a.Class) {
			cost.Add(prices.Request(a.Operation))
		}
	}
}

// deniable are the operations whose denials count from 0: a series that appears with its first event hides that from
// increase(), and a mapping that is denied once asks again only after minutes.
func deniable() []string {
	return []string{
		"AssumeRole", "ListObjectsV2", "HeadObject", "GetObject", "GetObjectTagging", "CopyObject", "PutObject", "PutObjectTagging",
		"CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload",
		"ListObjectAnnotations", "GetObjectAnnotation", "PutObjectAnnotation",
	}
}

// ledgerOptions are those of a mapping's ledger, which names the mapping in what it logs.
func (s *System) ledgerOptions(mapping string) checkpoint.Options {
	return checkpoint.Options{
		Mapping: mapping, Holder: Holder(), Now: s.Process.Now, Logger: s.Logger,
		FlushInterval: s.Config.Checkpoint.FlushInterval.Duration(), KeepGenerations: int(s.Config.Checkpoint.KeepGenerations),
		KeepFor: s.Config.Checkpoint.KeepFor.Duration(), Encoders: s.encoders,
	}
}

func (s *System) rules(m config.Mapping) plan.Rules {
	return plan.Rules{KeyARN: m.Destination.KMSKey, OverwriteAny: s.overwritesAny(m), Filter: plan.Filter{
		Prefix: m.Source.Prefix, Include: patterns(m.Filter.Include), Exclude: patterns(m.Filter.Exclude),
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

// Holder names this process to others that want a lease it holds.
func Holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}
