// Package config loads and validates syncd's configuration file. Its Go types are the schema.
//
// A [Config] returned by [Load] or [Parse] is complete and consistent: every default is applied,
// every duration, size, glob and schedule is parsed, and every role that a mapping names exists.
// When Load or Parse rejects a file, it reports all faults of the file at once as [fault.Faults],
// each with its line and its config path. Unknown keys, duplicate keys, empty values and values of
// the wrong type are faults; the package never guesses.
//
// This package does not check whether the roles can be assumed and the buckets can be reached:
// package access asks AWS. Nothing in this package uses the network, and only Load reads the disk.
//
// The subpackages: value, schedule and secret are the types of settings; document parses YAML and
// decode converts it to Go; fault reports what is wrong; extent finds overlapping buckets and
// prefixes.
//
// Two terms: a mapping is one rule, "keep a copy of this source at that destination"; a config path
// names one place in the file, as in mappings[0].destination.kms_key. The value of an external id
// is a [secret.Secret]: it is never printed, and no fault quotes it.
package config

import (
	"maps"
	"slices"

	"syncd/config/fault"
	"syncd/config/secret"
	"syncd/config/value"
	"syncd/internal/arn"
)

// DefaultListen is the address on which `run` serves its pages if http.listen is empty.
const DefaultListen = "127.0.0.1:9090"

// Config is the whole configuration file.
type Config struct {
	// State is where ledgers and leases are stored: file:PATH for a folder, or s3://BUCKET/PREFIX/
	// for containers without a disk. A relative PATH is resolved against the folder of the
	// configuration file.
	State string `yaml:"state" jsonschema:"required"`
	// HTTP configures the listener for metrics, health and status.
	HTTP HTTP `yaml:"http"`
	// Control configures how local users send requests to the daemon.
	Control Control `yaml:"control"`
	// Log configures the log written to standard error.
	Log Log `yaml:"log"`
	// AWS contains the settings shared by every AWS client.
	AWS AWS `yaml:"aws"`
	// Checkpoint configures how and where progress is saved.
	Checkpoint Checkpoint `yaml:"checkpoint"`
	// DrainTimeout is how long a stopping process may take to finish work in progress, 1s..1h, 25s
	// by default. Unless configured otherwise, ECS and Kubernetes kill a process 30 seconds after
	// SIGTERM.
	DrainTimeout value.Duration `yaml:"drain_timeout"`
	// Concurrency is the maximum number of concurrent requests of all mappings together, 1..16384.
	// If the mappings need more, each gets an equal share. With auto, the default, each mapping is
	// limited only by its own copy.concurrency.
	Concurrency value.AutoInt `yaml:"concurrency"`
	// Passes is the maximum number of passes that run at once, all mappings together, 1..4096.
	// Further passes wait in a first-come, first-served queue. With auto, the default, it is 16 for
	// each CPU, or fewer if GOMEMLIMIT is set and does not allow that many; docs/operations.md
	// lists the memory that a pass needs.
	Passes value.AutoInt `yaml:"passes"`
	// Roles are the IAM roles that mappings assume, by the name that mappings use.
	Roles map[string]Role `yaml:"roles"`
	// Mappings are the rules, at least one, in the order of the file.
	Mappings []Mapping `yaml:"mappings" jsonschema:"required"`

	warnings fault.Faults // see Warnings
}

// Mapping returns the mapping with that name, and whether it exists.
func (c *Config) Mapping(name string) (Mapping, bool) {
	for _, m := range c.Mappings {
		if m.Name == name {
			return m, true
		}
	}
	return Mapping{}, false
}

// Endpoints returns the endpoint URLs in the configuration, each once, in the order of the file.
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
	// Listen is HOST:PORT. If Listen is empty, `run` listens on DefaultListen. `backfill` and
	// `replay` do so only with pprof; without pprof they serve nothing.
	Listen string `yaml:"listen"`
	// WebConfig is the path of a Prometheus exporter-toolkit web configuration, for TLS and basic
	// authentication on the whole listener; empty turns both off. A relative path is resolved
	// against the folder of the configuration file. The file is read again for each connection.
	WebConfig string `yaml:"web_config"`
	// Hosts are the host names under which browsers may request /status and the profiles, such as
	// the name of an ingress; IP addresses and localhost always work. The list protects against DNS
	// rebinding: without it, a website could point one of its own host names at this listener and
	// read these pages in a user's browser. Metrics and probes are served under any name.
	Hosts []string `yaml:"hosts"`
	// Pprof serves the profiles of the Go runtime on /debug/pprof/. It is allowed only on a
	// loopback address, because the profiles expose the contents of memory.
	Pprof bool `yaml:"pprof"`
	// Watchdog is how long a pass may run without progress before it is stopped, 1m..24h, 15m by
	// default. A response to a request, a listed or settled object, and a save count as progress.
	// If the pass does not stop, /healthz fails.
	Watchdog value.Duration `yaml:"watchdog"`
}

// Control configures how local users send requests to the daemon: syncd trigger, pause, resume,
// replay and rekey.
type Control struct {
	// Socket is the path of the Unix socket that `run` creates for its own user, or off. The
	// default is control.sock in the state folder. With state on S3 there is no socket by default:
	// requests go through the state. A relative path is resolved against the folder of the
	// configuration file.
	Socket string `yaml:"socket"`
}

// Log configures the log written to standard error.
type Log struct {
	// Level is the lowest level that is written, info by default.
	Level LogLevel `yaml:"level"`
	// Format is the format of a line, auto by default: text on a terminal, JSON elsewhere.
	Format LogFormat `yaml:"format"`
}

// AWS contains the settings shared by every AWS client; a source, a destination or a role can
// override them.
type AWS struct {
	// EndpointURL is the base URL of an S3-compatible service, empty for AWS itself.
	EndpointURL string `yaml:"endpoint_url"`
	// PathStyle puts the bucket into the path of the URL instead of its host name.
	PathStyle bool `yaml:"path_style"`
	// AllowHTTP lets roles be assumed at an http:// endpoint on another machine. Anyone on the
	// network path can then read the keys of the sessions. An http:// endpoint of S3, or any
	// endpoint on this machine, does not need this setting.
	AllowHTTP bool `yaml:"allow_http"`
}

// Checkpoint configures how and where the ledger is saved.
type Checkpoint struct {
	// FlushInterval is how often progress is saved, 100ms..10m, 10s by default. If the process is
	// killed, at most the work of this interval is repeated.
	FlushInterval value.Duration `yaml:"flush_interval"`
	// KeepGenerations is how many generations of a ledger are kept, 1..1000, 3 by default.
	KeepGenerations int64 `yaml:"keep_generations"`
	// KeepFor also keeps older generations until they reach this age, up to 8760h; none by default.
	KeepFor value.Duration `yaml:"keep_for"`
	// Lease is how long a lease on a mapping stays valid after its last renewal, 15s..15m, 1m by
	// default. Until then no other process can take over the mapping. Lease applies only to state
	// on S3: a state folder is unlocked as soon as the process ends.
	Lease value.Duration `yaml:"lease"`
	// Region is the region of the bucket that contains the state; by default the region of the
	// first mapping's destination.
	Region string `yaml:"region"`
	// Role is the role that reads and writes the state on S3, by its name in roles; empty for the
	// ambient credentials.
	Role string `yaml:"role"`
	// Account is the account that owns the state bucket, sent as the expected bucket owner with
	// every request. It defaults to the account of Role. Without a role it is required, except on
	// an S3-compatible service.
	Account string `yaml:"account"`
	// KMSKey is the ARN of the key that encrypts state on S3; empty for the bucket's default
	// encryption.
	KMSKey string `yaml:"kms_key"`
	// EndpointURL overrides aws.endpoint_url for the state.
	EndpointURL string `yaml:"endpoint_url"`
	// PathStyle overrides aws.path_style for the state.
	PathStyle *bool `yaml:"path_style,omitempty"`
}

// Role is one IAM role and how to assume it. The bounds come from the STS API reference,
// AssumeRole.
type Role struct {
	// ARN is the role's full ARN, arn:aws:iam::ACCOUNT:role/NAME, in any AWS partition.
	ARN string `yaml:"arn" jsonschema:"required"`
	// Via names the role whose credentials assume this role; empty means the ambient credentials.
	// AWS limits a session of a role that another role assumes (role chaining) to one hour.
	Via string `yaml:"via"`
	// ExternalID is the external id that the role's trust policy requires, 2..1224 characters: a
	// string, {file: PATH} or {env: NAME}. The file or variable is read again each time the role is
	// assumed. Set it to none if the role needs no external id. If it is not set, doctor and policy
	// check warn about a role of another owner.
	ExternalID secret.ExternalID `yaml:"external_id,omitempty"`
	// SessionName is the role session name that CloudTrail shows, 2..64 characters, syncd by
	// default.
	SessionName string `yaml:"session_name"`
	// Tags are the session tags, at most 50; the trust policy must allow sts:TagSession.
	Tags map[string]string `yaml:"tags"`
	// TransitiveTags are the keys of Tags that the sessions of all later roles in a chain inherit.
	TransitiveTags []string `yaml:"transitive_tags"`
	// SourceIdentity is the source identity, 2..64 characters. It is set once, and every later
	// session of the chain inherits it. The trust policy must allow sts:SetSourceIdentity.
	SourceIdentity string `yaml:"source_identity"`
	// Duration is the length of a session, 15m..12h, 1h by default; at most 1h with via, or when
	// the ambient credentials belong to a role, as on ECS, EKS and EC2.
	Duration value.Duration `yaml:"duration"`
	// SessionPolicy restricts the session: scoped allows only what its mapping needs; none, the
	// default, adds no restriction.
	SessionPolicy SessionPolicy `yaml:"session_policy"`
	// EndpointURL is the base URL of STS for this role. By default it is the S3 endpoint of the
	// sides that use the role if none of them is at AWS, otherwise aws.endpoint_url or AWS itself.
	EndpointURL string `yaml:"endpoint_url"`
	// Region is the region of the STS endpoint, by default the region of the mapping's side that
	// uses the role.
	Region string `yaml:"region"`
}

// Account returns the account in the role's ARN, or "" if it has none.
func (r Role) Account() string { return arn.Account(r.ARN) }
