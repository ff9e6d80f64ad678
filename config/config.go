// Package config is syncd's configuration file: its whole schema as Go types, and the way from YAML
// to them.
//
// [Load] and [Parse] promise that a [Config] they return is complete and consistent: every default
// is applied, every duration, size, glob and schedule is parsed, every role a mapping names exists.
// When they refuse a file they report all of its faults at once as [fault.Faults], each with its
// line and its config path. Unknown keys, duplicate keys, empty values and values of another type
// are faults; nothing is guessed.
//
// Whether the roles can be assumed and the buckets be reached is not known here: package access
// asks AWS. Nothing in this package touches the network, and only Load touches the disk.
//
// What has a noun of its own is a package of its own: value, schedule and secret are the types of
// settings, document and decode lead from YAML to Go, fault is the report of what is wrong, extent
// knows what overlaps.
//
// Two words to know. A mapping is one rule "keep a copy of this source at that destination". A
// config path names one place in the file, as in mappings[0].destination.kms_key. The value of an
// external id is a [secret.Secret]: it has no printable form, and no fault ever quotes it.
package config

import (
	"maps"
	"slices"

	"syncd/config/fault"
	"syncd/config/secret"
	"syncd/config/value"
	"syncd/internal/arn"
)

// DefaultListen is the address `run` serves its pages on when http.listen is empty.
const DefaultListen = "127.0.0.1:9090"

// Config is the whole configuration file.
type Config struct {
	// State is where ledgers and leases live: file:PATH for a folder, or s3://BUCKET/PREFIX/ for
	// tasks without a disk. Load resolves a relative PATH against the folder of the configuration
	// file.
	State string `yaml:"state" jsonschema:"required"`
	// HTTP configures the listener for metrics, health and status.
	HTTP HTTP `yaml:"http"`
	// Control configures how users of the machine ask the daemon for something.
	Control Control `yaml:"control"`
	// Log configures the log written to standard error.
	Log Log `yaml:"log"`
	// AWS holds what every AWS client has in common.
	AWS AWS `yaml:"aws"`
	// Checkpoint configures how often progress is made durable.
	Checkpoint Checkpoint `yaml:"checkpoint"`
	// DrainTimeout is how long a stopping process may finish what is in hand, 1s..1h, 25s by
	// default: ECS and Kubernetes kill 30 seconds after SIGTERM by default.
	DrainTimeout value.Duration `yaml:"drain_timeout"`
	// Concurrency is how many requests of all mappings together are in progress at once, 1..16384;
	// mappings that want more than there is get equal shares of it. With auto, the default, each
	// mapping has only its own copy.concurrency.
	Concurrency value.AutoInt `yaml:"concurrency"`
	// Passes is how many passes of all mappings run at once, 1..4096; the others wait in a queue,
	// first come, first served. With auto, the default, it is 16 for each CPU, and no more than fit
	// into GOMEMLIMIT where that is set: docs/operations.md says what a pass takes.
	Passes value.AutoInt `yaml:"passes"`
	// Roles are the IAM roles mappings assume, by the name mappings call them.
	Roles map[string]Role `yaml:"roles"`
	// Mappings are the rules, at least one, in the order of the file.
	Mappings []Mapping `yaml:"mappings" jsonschema:"required"`

	warnings fault.Faults // see Warnings
}

// Mapping returns the mapping of that name, and whether there is one.
func (c *Config) Mapping(name string) (Mapping, bool) {
	for _, m := range c.Mappings {
		if m.Name == name {
			return m, true
		}
	}
	return Mapping{}, false
}

// Endpoints returns the endpoint URLs that the configuration names, each once, in the order of the
// file.
func (c *Config) Endpoints() []string {
	all := []string{c.AWS.EndpointURL, c.Checkpoint.EndpointURL}
	for _, name := range slices.Sorted(maps.Keys(c.Roles)) {
		all = append(all, c.Roles[name].EndpointURL)
	}
	for _, m := range c.Mappings {
		all = append(all, m.Source.EndpointURL, m.Destination.EndpointURL)
	}
	var endpoints []string
	for _, endpoint := range all {
		if endpoint != "" && !slices.Contains(endpoints, endpoint) {
			endpoints = append(endpoints, endpoint)
		}
	}
	return endpoints
}

// HTTP configures the listener for metrics, health and status.
type HTTP struct {
	// Listen is HOST:PORT; empty means DefaultListen for `run`, and for `backfill` and `replay`
	// with pprof; without that these serve nothing.
	Listen string `yaml:"listen"`
	// WebConfig is the path of a web configuration of Prometheus's exporter-toolkit, for TLS and
	// basic authentication on the whole listener; empty for neither. A relative path is taken from
	// the folder of the configuration file. It is read again for each connection.
	WebConfig string `yaml:"web_config"`
	// Hosts are the names under which browsers may ask for /status and the profiles, such as that
	// of an ingress; IP addresses and localhost always work. It keeps pages of others from reading
	// them through a name of their own (DNS rebinding). Metrics and probes are served under any
	// name.
	Hosts []string `yaml:"hosts"`
	// Pprof serves the profiles of the Go runtime on /debug/pprof/; it is allowed on a loopback
	// address alone, because they show what is in memory.
	Pprof bool `yaml:"pprof"`
	// Watchdog is how long a pass may run without any sign of life before it is ended, 1m..24h, 15m
	// by default. Signs of life are an answer to a request, a listed or settled object, and a save.
	// When it does not end, /healthz fails.
	Watchdog value.Duration `yaml:"watchdog"`
}

// Control configures how users of the machine ask the daemon for something: syncd trigger, pause,
// resume, replay and rekey.
type Control struct {
	// Socket is the path of the Unix socket that `run` makes for its own user, or off. By default
	// it is control.sock in the folder of the state, and there is none for state on S3, where
	// requests go through the state. A relative path starts at the folder of the configuration
	// file.
	Socket string `yaml:"socket"`
}

// Log configures the log written to standard error.
type Log struct {
	// Level is the least severe level that is written, info by default.
	Level LogLevel `yaml:"level"`
	// Format is the form of a line, auto by default: text on a terminal, JSON elsewhere.
	Format LogFormat `yaml:"format"`
}

// AWS holds what every AWS client has in common; a source, a destination or a role may override it.
type AWS struct {
	// EndpointURL is the base URL of an S3-compatible service, empty for AWS itself.
	EndpointURL string `yaml:"endpoint_url"`
	// PathStyle puts the bucket into the path of the URL instead of its host name.
	PathStyle bool `yaml:"path_style"`
	// AllowHTTP lets roles be assumed at an http:// endpoint on another machine: anyone on the
	// network path can read the keys of the sessions. An http:// endpoint of S3 needs no more than
	// to stand in the configuration, and one on this machine neither.
	AllowHTTP bool `yaml:"allow_http"`
}

// Checkpoint configures how the ledger is kept.
type Checkpoint struct {
	// FlushInterval is the most work a killed process does again, 100ms..10m, 10s by default.
	FlushInterval value.Duration `yaml:"flush_interval"`
	// KeepGenerations is how many generations of a ledger are kept, 1..1000, 3 by default.
	KeepGenerations int64 `yaml:"keep_generations"`
	// KeepFor keeps older generations too until they have this age, up to 8760h; none by default.
	KeepFor value.Duration `yaml:"keep_for"`
	// Lease is how long a process that vanished keeps others from its mappings, 15s..15m, 1m by
	// default. It is in force for state on S3; a folder is free at once.
	Lease value.Duration `yaml:"lease"`
	// Region is the region of the bucket that holds the state; by default that of the first
	// mapping's destination.
	Region string `yaml:"region"`
	// Role reads and writes the state on S3, by its name in roles; empty for the ambient
	// credentials.
	Role string `yaml:"role"`
	// Account is the account that owns the bucket of the state, sent as the expected bucket owner
	// of every request. By default it is that of Role; without a role it is required, but on a
	// compatible service.
	Account string `yaml:"account"`
	// KMSKey is the ARN of the key that state on S3 is encrypted under; empty for the bucket's
	// default encryption.
	KMSKey string `yaml:"kms_key"`
	// EndpointURL overrides aws.endpoint_url for the state.
	EndpointURL string `yaml:"endpoint_url"`
	// PathStyle overrides aws.path_style for the state.
	PathStyle *bool `yaml:"path_style,omitempty"`
}

// Role is one IAM role and how to assume it. The bounds are those of the STS API reference for
// AssumeRole.
type Role struct {
	// ARN is the role's full ARN, arn:aws:iam::ACCOUNT:role/NAME, in any AWS partition.
	ARN string `yaml:"arn" jsonschema:"required"`
	// Via names the role whose credentials assume this one; empty means the ambient credentials.
	// Such role chaining caps the session at one hour.
	Via string `yaml:"via"`
	// ExternalID is the external id the role's trust policy asks for, 2..1224 characters: a string,
	// {file: PATH} or {env: NAME}. A file or variable is read again at every assume. The word none
	// says that the role needs none: doctor and policy check warn of a role of another owner that
	// is assumed without one.
	ExternalID secret.ExternalID `yaml:"external_id,omitempty"`
	// SessionName is the role session name CloudTrail shows, 2..64 characters, syncd by default.
	SessionName string `yaml:"session_name"`
	// Tags are the session tags, at most 50; the trust policy must allow sts:TagSession.
	Tags map[string]string `yaml:"tags"`
	// TransitiveTags are the keys of Tags that sessions assumed from this one inherit.
	TransitiveTags []string `yaml:"transitive_tags"`
	// SourceIdentity is set once and sticks to every session down the chain, 2..64 characters; the
	// trust policy must allow sts:SetSourceIdentity.
	SourceIdentity string `yaml:"source_identity"`
	// Duration is the length of a session, 15m..12h, 1h by default; at most 1h with via, and always
	// at most 1h when the ambient credentials are a role's themselves, as on ECS, EKS and EC2.
	Duration value.Duration `yaml:"duration"`
	// SessionPolicy narrows the session: scoped to what its mapping needs, or none, the default.
	SessionPolicy SessionPolicy `yaml:"session_policy"`
	// EndpointURL is the base URL of STS for this role. Without it the role is assumed where S3 is
	// when all sides that use it are at another service than AWS, else at aws.endpoint_url or AWS
	// itself.
	EndpointURL string `yaml:"endpoint_url"`
	// Region is the region whose STS is asked, by default the region of the mapping's side that
	// uses the role.
	Region string `yaml:"region"`
}

// Account returns the account in the role's ARN, "" where there is none.
func (r Role) Account() string { return arn.Account(r.ARN) }
