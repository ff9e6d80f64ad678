// Package config is syncd's configuration file: its whole schema as Go types, and the way from YAML to them.
//
// [Load] and [Parse] promise that a [Config] they return is complete and consistent: every default is applied, every
// duration, size, glob and schedule is parsed, every role a mapping names exists. When they refuse a file they report
// all of its faults at once as [Faults], each with its line and its config path. Unknown keys, duplicate keys, empty
// values and values of another type are faults; nothing is guessed.
//
// Whether the roles can be assumed and the buckets be reached is not known here: package access asks AWS.
// Nothing in this package touches the network, and only Load touches the disk.
//
// Two words to know. A mapping is one rule "keep a copy of this source at that destination". A config path names one
// place in the file, as in mappings[0].destination.kms_key. The value of an external id is a [Secret]: it has no
// printable form, and no fault ever quotes it.
package config

import (
	"maps"
	"path/filepath"
	"slices"
)

// DefaultListen is the address `run` serves its pages on when http.listen is empty.
const DefaultListen = "127.0.0.1:9090"

// Config is the whole configuration file.
type Config struct {
	// State is where ledgers and leases live: file:PATH for a folder, or s3://BUCKET/PREFIX/ for tasks without a disk.
	// Load resolves a relative PATH against the folder of the configuration file.
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
	// DrainTimeout is how long a stopping process may finish what is in hand, 1s..1h, 25s by default: ECS and Kubernetes
	// kill 30 seconds after SIGTERM by default.
	DrainTimeout Duration `yaml:"drain_timeout"`
	// Concurrency is how many requests of all mappings together are in progress at once, 1..16384; mappings that want more
	// than there is get equal shares of it. With auto, the default, each mapping has only its own copy.concurrency.
	Concurrency AutoInt `yaml:"concurrency"`
	// Passes is how many passes of all mappings run at once, 1..4096; the others wait in a queue, first come, first served. With auto,
	// the default, it is 16 for each CPU, and no more than fit into GOMEMLIMIT where that is set: docs/operations.md says what a pass takes.
	Passes AutoInt `yaml:"passes"`
	// Roles are the IAM roles mappings assume, by the name mappings call them.
	Roles map[string]Role `yaml:"roles"`
	// Mappings are the rules, at least one, in the order of the file.
	Mappings []Mapping `yaml:"mappings" jsonschema:"required"`

	warnings Faults // see Warnings
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

// StateRegion returns the region of the bucket that holds the state.
func (c *Config) StateRegion() string {
	if c.Checkpoint.Region != "" || len(c.Mappings) == 0 {
		return c.Checkpoint.Region
	}
	return c.Mappings[0].Destination.Region
}

// Endpoints returns the endpoint URLs that the configuration names, each once, in the order of the file.
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

// StateAccount returns the account that owns the bucket of the state: checkpoint.account, or that of checkpoint.role on AWS; "" where
// neither is known, which only a compatible service may leave open.
func (c *Config) StateAccount() string {
	if c.Checkpoint.Account != "" || c.compatible(c.Checkpoint.EndpointURL) {
		return c.Checkpoint.Account
	}
	return c.Roles[c.Checkpoint.Role].Account()
}

// HTTP configures the listener for metrics, health and status.
type HTTP struct {
	// Listen is HOST:PORT; empty means DefaultListen for `run`, and for `backfill` and `replay` with pprof; without that these serve nothing.
	Listen string `yaml:"listen"`
	// WebConfig is the path of a web configuration of Prometheus's exporter-toolkit, for TLS and basic authentication on the whole
	// listener; empty for neither. A relative path is taken from the folder of the configuration file. It is read again for each connection.
	WebConfig string `yaml:"web_config"`
	// Hosts are the names under which browsers may ask for /status and the profiles, such as that of an ingress; IP addresses and
	// localhost always work. It keeps pages of others from reading them through a name of their own (DNS rebinding). Metrics and
	// probes are served under any name.
	Hosts []string `yaml:"hosts"`
	// Pprof serves the profiles of the Go runtime on /debug/pprof/; it is allowed on a loopback address alone, because they
	// show what is in memory.
	Pprof bool `yaml:"pprof"`
	// Watchdog is how long a pass may run without any sign of life before it is ended, 1m..24h, 15m by default. Signs of life
	// are an answer to a request, a listed or settled object, and a save. When it does not end, /healthz fails.
	Watchdog Duration `yaml:"watchdog"`
}

// Control configures how users of the machine ask the daemon for something: syncd trigger, pause, resume, replay and rekey.
type Control struct {
	// Socket is the path of the Unix socket that `run` makes for its own user, or off. By default it is control.sock in the folder of
	// the state, and there is none for state on S3, where requests go through the state. A relative path starts at the folder of the
	// configuration file.
	Socket string `yaml:"socket"`
}

// SocketOff is the control.socket of a daemon without one.
const SocketOff = "off"

// ControlSocket returns the path of the control socket, "" for none.
func (c *Config) ControlSocket() string {
	switch {
	case c.Control.Socket == SocketOff:
		return ""
	case c.Control.Socket != "":
		return c.Control.Socket
	}
	if location, err := ParseLocation(c.State); err == nil && location.Dir != "" {
		return filepath.Join(location.Dir, "control.sock")
	}
	return ""
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
	// AllowHTTP lets roles be assumed at an http:// endpoint on another machine: anyone on the network path can read the keys of the
	// sessions. An http:// endpoint of S3 needs no more than to stand in the configuration, and one on this machine neither.
	AllowHTTP bool `yaml:"allow_http"`
}

// Checkpoint configures how the ledger is kept.
type Checkpoint struct {
	// FlushInterval is the most work a killed process does again, 100ms..10m, 10s by default.
	FlushInterval Duration `yaml:"flush_interval"`
	// KeepGenerations is how many generations of a ledger are kept, 1..1000, 3 by default.
	KeepGenerations int64 `yaml:"keep_generations"`
	// KeepFor keeps older generations too until they have this age, up to 8760h; none by default.
	KeepFor Duration `yaml:"keep_for"`
	// Lease is how long a process that vanished keeps others from its mappings, 15s..15m, 1m by default. It is in force for
	// state on S3; a folder is free at once.
	Lease Duration `yaml:"lease"`
	// Region is the region of the bucket that holds the state; by default that of the first mapping's destination.
	Region string `yaml:"region"`
	// Role reads and writes the state on S3, by its name in roles; empty for the ambient credentials.
	Role string `yaml:"role"`
	// Account is the account that owns the bucket of the state, sent as the expected bucket owner of every request. By default it
	// is that of Role; without a role it is required, but on a compatible service.
	Account string `yaml:"account"`
	// KMSKey is the ARN of the key that state on S3 is encrypted under; empty for the bucket's default encryption.
	KMSKey string `yaml:"kms_key"`
	// EndpointURL overrides aws.endpoint_url for the state.
	EndpointURL string `yaml:"endpoint_url"`
	// PathStyle overrides aws.path_style for the state.
	PathStyle *bool `yaml:"path_style,omitempty"`
}

// Role is one IAM role and how to assume it. The bounds are those of the STS API reference for AssumeRole.
type Role struct {
	// ARN is the role's full ARN, arn:aws:iam::ACCOUNT:role/NAME, in any AWS partition.
	ARN string `yaml:"arn" jsonschema:"required"`
	// Via names the role whose credentials assume this one; empty means the ambient credentials. Such role chaining caps
	// the session at one hour.
	Via string `yaml:"via"`
	// ExternalID is the external id the role's trust policy asks for, 2..1224 characters: a string, {file: PATH} or
	// {env: NAME}. A file or variable is read again at every assume. The word none says that the role needs none: doctor and
	// policy check warn of a role of another owner that is assumed without one.
	ExternalID ExternalID `yaml:"external_id,omitempty"`
	// SessionName is the role session name CloudTrail shows, 2..64 characters, syncd by default.
	SessionName string `yaml:"session_name"`
	// Tags are the session tags, at most 50; the trust policy must allow sts:TagSession.
	Tags map[string]string `yaml:"tags"`
	// TransitiveTags are the keys of Tags that sessions assumed from this one inherit.
	TransitiveTags []string `yaml:"transitive_tags"`
	// SourceIdentity is set once and sticks to every session down the chain, 2..64 characters; the trust policy must allow
	// sts:SetSourceIdentity.
	SourceIdentity string `yaml:"source_identity"`
	// Duration is the length of a session, 15m..12h, 1h by default; at most 1h with via, and always at most 1h when the
	// ambient credentials are a role's themselves, as on ECS, EKS and EC2.
	Duration Duration `yaml:"duration"`
	// SessionPolicy narrows the session: scoped to what its mapping needs, or none, the default.
	SessionPolicy SessionPolicy `yaml:"session_policy"`
	// EndpointURL is the base URL of STS for this role. Without it the role is assumed where S3 is when all sides that use it are at
	// another service than AWS, else at aws.endpoint_url or AWS itself.
	EndpointURL string `yaml:"endpoint_url"`
	// Region is the region whose STS is asked, by default the region of the mapping's side that uses the role.
	Region string `yaml:"region"`
}

// Account returns the account in the role's ARN, "" where there is none.
func (r Role) Account() string {
	a, _ := parseARN(r.ARN)
	return a.account
}

// Mapping is one rule: keep a copy of this source at that destination.
type Mapping struct {
	// Name identifies the mapping in logs, metrics and the ledger: a-z, 0-9 and -, at most 63 characters, unique. Renaming
	// a mapping starts a new ledger.
	Name string `yaml:"name" jsonschema:"required"`
	// Source is what is copied.
	Source Source `yaml:"source" jsonschema:"required"`
	// Destination is where the copy is written.
	Destination Destination `yaml:"destination" jsonschema:"required"`
	// Schedule says when passes start: "@every 15m" or a cron expression, in UTC unless it begins with CRON_TZ=ZONE; without one
	// they start on request (`syncd trigger`, `backfill`). Times that the clocks of a zone skip or show twice start one pass; an
	// expression of every hour keeps its rhythm there.
	Schedule Schedule `yaml:"schedule"`
	// Jitter delays each start by a random time of up to this, 0s..1h, none by default. Mappings with "@every" need none: each
	// has a place of its own in the interval, which its name decides. Cron expressions start at their exact time without it.
	Jitter Duration `yaml:"jitter"`
	// Filter chooses objects of the source.
	Filter Filter `yaml:"filter"`
	// Copy says how objects are copied.
	Copy Copy `yaml:"copy"`
	// Delete says whether objects that left the source leave the destination too.
	Delete Delete `yaml:"delete"`
	// Limits caps what the mapping may use.
	Limits Limits `yaml:"limits"`
}

// Source is the side that is read.
type Source struct {
	// Bucket is the bucket's name, or that of an access point: its ARN, arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME, or its alias, which
	// ends in -s3alias.
	Bucket string `yaml:"bucket" jsonschema:"required"`
	// AccessPointARN is the ARN of the access point whose alias Bucket is: policies name it, and cannot name the alias.
	AccessPointARN string `yaml:"access_point"`
	// UnderlyingBucket is the name of the bucket behind an access point, where it is known: its policy and that of its key name it. It
	// is required where the account owns a destination or the state too.
	UnderlyingBucket string `yaml:"underlying_bucket"`
	// Prefix is the beginning of the keys that are read; empty means the whole bucket.
	Prefix string `yaml:"prefix"`
	// Region is the bucket's region.
	Region string `yaml:"region" jsonschema:"required"`
	// Account is the 12-digit account that owns the bucket, sent as the expected bucket owner with every request. It may
	// be left out only with an endpoint_url.
	Account string `yaml:"account"`
	// Role names the role that reads; empty means the ambient credentials.
	Role string `yaml:"role"`
	// EndpointURL is the base URL of S3 for this side, empty for aws.endpoint_url or AWS itself.
	EndpointURL string `yaml:"endpoint_url"`
	// PathStyle overrides aws.path_style for this side.
	PathStyle *bool `yaml:"path_style,omitempty"`
	// RequestPayer accepts the cost of requests to a requester-pays bucket.
	RequestPayer bool `yaml:"request_payer"`
}

// Destination is the side that is written.
type Destination struct {
	// Bucket is the bucket's name.
	Bucket string `yaml:"bucket" jsonschema:"required"`
	// Prefix replaces the source's prefix in the keys that are written; empty means the root of the bucket.
	Prefix string `yaml:"prefix"`
	// Region is the bucket's region.
	Region string `yaml:"region" jsonschema:"required"`
	// Account is the 12-digit account that owns the bucket, sent as the expected bucket owner with every request. It may
	// be left out only with an endpoint_url.
	Account string `yaml:"account"`
	// Role names the role that writes; empty means the ambient credentials.
	Role string `yaml:"role"`
	// EndpointURL is the base URL of S3 for this side, empty for aws.endpoint_url or AWS itself.
	EndpointURL string `yaml:"endpoint_url"`
	// PathStyle overrides aws.path_style for this side.
	PathStyle *bool `yaml:"path_style,omitempty"`
	// KMSKey is the full ARN of the key copies are encrypted with, in the bucket's region. Aliases and bare key ids are
	// refused because KMS looks them up in the caller's account; only with an endpoint_url may it have another form.
	KMSKey string `yaml:"kms_key" jsonschema:"required"`
	// BucketKey asks for an S3 Bucket Key, which cuts most requests to KMS; true by default.
	BucketKey bool `yaml:"bucket_key"`
	// StorageClass is the storage class of copies, STANDARD by default; keep gives each copy that of its source. A class that
	// an object cannot be written into becomes STANDARD.
	StorageClass string `yaml:"storage_class"`
}

// Filter chooses objects of the source; an object is copied when every part of the filter lets it through.
type Filter struct {
	// Include are globs on the key after the source's prefix; one must match. Empty means every key.
	Include []Glob `yaml:"include"`
	// Exclude are globs on the key after the source's prefix; none may match. They win over Include.
	Exclude []Glob `yaml:"exclude"`
	// MinSize is the smallest size that is copied.
	MinSize Size `yaml:"min_size"`
	// MaxSize is the largest size that is copied, 0 for no bound.
	MaxSize Size `yaml:"max_size"`
	// ModifiedAfter lets through only objects modified at or after this time.
	ModifiedAfter Time `yaml:"modified_after"`
	// ModifiedBefore lets through only objects modified at or before this time.
	ModifiedBefore Time `yaml:"modified_before"`
}

// Copy says how objects are copied.
type Copy struct {
	// Mode is how bytes move: auto (the default) copies server-side when both sides use the same role, and relays otherwise; it relays
	// from an access point to another region too.
	Mode CopyMode `yaml:"mode"`
	// Concurrency is how many objects and parts are copied at once, 1..4096; auto begins at 64 and finds its level by itself.
	Concurrency AutoInt `yaml:"concurrency"`
	// PartSize is the size of the parts of large objects, 5MiB..5GiB (Amazon S3 multipart upload limits); auto picks one by
	// the object's size. It grows when 10,000 parts would not suffice.
	PartSize AutoSize `yaml:"part_size"`
	// MultipartAbove is the size above which an object is copied server-side in parts side by side, 5MiB..5GiB; auto means
	// 5GiB, above which S3 copies no object at once (Amazon S3 API reference, CopyObject).
	MultipartAbove AutoSize `yaml:"multipart_above"`
	// Tags says which object tags are copied: copy (the default) for all, omit for none, or {only: [KEY, ...]} for those of these
	// keys. The owner of the source chooses tags, and policies, lifecycle rules and cost reports on the copies may go by them. With
	// only, a server-side copy in one piece takes a GetObjectTagging more.
	Tags Tags `yaml:"tags"`
	// Metadata says whether system and user metadata are copied, copy by default.
	Metadata Carry `yaml:"metadata"`
	// Annotations says whether annotations are copied, omit by default: they need permissions of their own, and each is billed
	// like a PUT.
	Annotations Carry `yaml:"annotations"`
	// ObjectLock says whether retention, event hold and legal hold are copied, omit by default; the destination's bucket needs
	// object lock for it.
	ObjectLock Carry `yaml:"object_lock"`
	// ObjectLockMax bounds how long the retention of a copy lasts from when it is made, 1d..100y; none by default. A date beyond it
	// is brought forward, and so is the retention that an event hold begins when it ends: nobody can shorten a retention in
	// compliance mode afterwards. A legal hold has no date and is copied as it is. It needs object_lock: copy.
	ObjectLockMax Period `yaml:"object_lock_max"`
	// ACL is what copies are written with: omit (the default) sends none; bucket-owner-full-control is for a destination whose bucket
	// policy refuses writes without it. It takes s3:PutObjectAcl.
	ACL ACL `yaml:"acl"`
	// Overwrite says what of the destination may be replaced: owned (the default) is what syncd wrote or adopted, and sets aside
	// as foreign what else is there; any is everything.
	Overwrite Overwrite `yaml:"overwrite"`
	// Checksum says whether a copy's full-object checksum is compared with the source's, verify by default.
	Checksum Checksum `yaml:"checksum"`
}

// Delete says whether objects that left the source leave the destination too. Only objects the ledger says syncd wrote
// are ever deleted, and a pass that would exceed a bound deletes nothing.
type Delete struct {
	// Enabled turns deletes on; they are off by default.
	Enabled bool `yaml:"enabled"`
	// MaxObjects is the most objects one pass may delete, 1000 by default.
	MaxObjects int64 `yaml:"max_objects"`
	// MaxPercent is the largest share of the ledger's objects one pass may delete, 0..100, 1 by default.
	MaxPercent float64 `yaml:"max_percent"`
}

// Limits caps what a mapping may use; 0 means no cap.
type Limits struct {
	// RequestsPerSecond caps requests to S3, both sides together.
	RequestsPerSecond int64 `yaml:"requests_per_second"`
	// KMSRequestsPerSecond caps the requests S3 makes to KMS for the mapping, as syncd counts them.
	KMSRequestsPerSecond int64 `yaml:"kms_requests_per_second"`
	// BytesPerSecond caps the bytes that are copied.
	BytesPerSecond Size `yaml:"bytes_per_second"`
	// CostUSD caps what one pass may cost by syncd's own estimate, in US dollars.
	CostUSD float64 `yaml:"cost_usd"`
}
