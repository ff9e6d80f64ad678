// Package status defines the displayed status of a daemon and its mappings. The page, the JSON and
// the probes all present the same Snapshot.
//
// Unknown values are absent, never 0. The JSON forms of the package's types are stable interfaces,
// described in docs/status-page.md. The creator of a status must make sure that its texts contain
// no secrets.
//
// The daemon fills in the values, and package web presents them.
//
// Two terms: the state of a mapping is the most urgent description that applies to it; its activity
// is what it is doing at the moment.
package status

import (
	"time"

	"syncd/internal/checkpoint/history"
	"syncd/internal/creds"
	"syncd/internal/transfer"
)

// Snapshot is the status of the daemon and its mappings at one moment. Its JSON form is a stable
// interface, described in docs/status-page.md.
type Snapshot struct {
	At        time.Time `json:"at"`
	StartedAt time.Time `json:"started_at"`
	Version   string    `json:"version"`
	Draining  bool      `json:"draining"`
	Passes    Passes    `json:"passes"`
	// ClockSkewSeconds is how far the clock of this machine is ahead of the AWS clock. It is
	// negative if the clock is behind, and absent before the first response.
	ClockSkewSeconds *float64 `json:"clock_skew_seconds,omitempty"`
	// Counts is the number of mappings in each state; states without mappings are absent.
	Counts map[State]int `json:"counts"`
	// Mappings are in configuration order.
	Mappings []Mapping `json:"mappings"`
}

// ClockWarning returns a warning if the clock of this machine is wrong, or "" if it is not.
func (s *Snapshot) ClockWarning() string {
	if s.ClockSkewSeconds == nil {
		return ""
	}
	return creds.ClockWarning(time.Duration(*s.ClockSkewSeconds * float64(time.Second)))
}

// Passes is how many passes are running and how many mappings wait for a pass.
type Passes struct {
	// Limit is how many passes may run at the same time; 0 means no limit.
	Limit   int64 `json:"limit"`
	Running int64 `json:"running"`
	Waiting int64 `json:"waiting"`
}

// Side is the displayed source or destination of a mapping: the JSON form of a place.
type Side struct {
	// Service is the host of the S3-compatible service, or "" for AWS.
	Service string `json:"service,omitempty"`
	Bucket  string `json:"bucket"`
	Prefix  string `json:"prefix,omitempty"`
	Region  string `json:"region,omitempty"`
	// Account is the account that owns the bucket, if it is configured.
	Account string `json:"account,omitempty"`
}

// SideOf returns the Side for a place.
func SideOf(p transfer.Place) Side {
	return Side{Service: p.Service(), Bucket: p.Bucket, Prefix: p.Prefix, Region: p.Region, Account: p.Account}
}

// String returns the S3 URI, followed by the service if it is not AWS.
func (s Side) String() string {
	text := transfer.Place{Bucket: s.Bucket, Prefix: s.Prefix}.String()
	if s.Service != "" {
		text += " at " + s.Service
	}
	return text
}

// Mapping is the status of one mapping. Unknown values are absent, never 0.
type Mapping struct {
	Mapping string `json:"mapping"`
	// Source is where objects are copied from, Destination where they are copied to, and Method how
	// they are copied.
	Source      Side            `json:"source"`
	Destination Side            `json:"destination"`
	Method      transfer.Method `json:"method,omitempty"`
	State       State           `json:"state"`
	// Since is when the mapping entered this state, as far as this process has seen. For a failing
	// mapping it is the time of the first failed pass since the last success.
	Since time.Time `json:"since"`
	// Activity is what the mapping is doing: a State other than failing, quarantined or unknown.
	Activity      State     `json:"activity"`
	ActivitySince time.Time `json:"activity_since"`
	// Ready reports whether the mapping is working or standing by, and WhyNot why it is not.
	Ready  bool   `json:"ready"`
	WhyNot string `json:"why_not,omitempty"`
	// Schedule is "" if the mapping has no schedule.
	Schedule string `json:"schedule"`
	// NextPass is when the next pass is due; absent while a pass is running.
	NextPass *time.Time `json:"next_pass,omitempty"`
	// Line is the mapping's place in line for a pass; absent if it is not in line.
	Line *Line `json:"line,omitempty"`
	// OldestUnsyncedSeconds is the age of the oldest known change of the source that was not
	// copied, including objects in quarantine.
	OldestUnsyncedSeconds *float64 `json:"oldest_unsynced_seconds,omitempty"`
	// LastSuccess is when a pass last reached its end, and LastListing when the source was last
	// fully listed.
	LastSuccess *time.Time `json:"last_success,omitempty"`
	LastListing *time.Time `json:"last_listing,omitempty"`
	// Generation and Entries describe the ledger's last generation.
	Generation *int64 `json:"generation,omitempty"`
	Entries    *int64 `json:"entries,omitempty"`
	// BacklogObjects and BacklogBytes count the objects that were listed and must still be copied.
	BacklogObjects *int64 `json:"backlog_objects,omitempty"`
	BacklogBytes   *int64 `json:"backlog_bytes,omitempty"`
	// Progress is the progress of the current pass.
	Progress *Progress `json:"progress,omitempty"`
	// Ranges is the number of ranges of the source that the current pass is walking, and OldestRange
	// the one among them whose walk began first; absent between passes.
	Ranges      int64  `json:"ranges,omitempty"`
	OldestRange *Range `json:"oldest_range,omitempty"`
	// LastPass is the last pass that ended in this process.
	LastPass *LastPass `json:"last_pass,omitempty"`
	// Paused is when and by whom the mapping was paused; absent if it is not paused.
	Paused *Pause `json:"paused,omitempty"`
	// History has the most recent passes of any process, newest first, once this process has read
	// them.
	History []history.Pass `json:"history,omitempty"`
	// Quarantine counts the quarantined objects by reason; it is empty if there are none.
	Quarantine map[string]int64 `json:"quarantine,omitzero"`
	// Error is how the last pass failed; absent if it did not fail.
	Error *Failure `json:"error,omitempty"`
	Lease Lease    `json:"lease"`
	// Credentials has, for each side, the time when its session expires unless it is renewed. A
	// session that does not expire is absent.
	Credentials map[string]time.Time `json:"credentials"`
	// Concurrency is the maximum number of requests in flight. RateLimits is the maximum number of
	// requests per second by side; a side without a limit is absent. Throttled is how many
	// responses were throttled.
	Concurrency *int64             `json:"concurrency,omitempty"`
	RateLimits  map[string]float64 `json:"rate_limits"`
	Throttled   int64              `json:"throttled"`
}

// Pause is when and by whom a mapping was paused. It is the displayed form of control.Paused, which
// is stored in the state in another JSON form. Both fields are empty if the record could not be
// read.
type Pause struct {
	At  time.Time `json:"at,omitzero"`
	Who string    `json:"who,omitempty"`
}

// Line is a place in the line of waiting mappings.
type Line struct {
	// Position is 1 for the mapping that is next.
	Position int       `json:"position"`
	Since    time.Time `json:"since"`
}

// Progress is the progress of the current pass.
type Progress struct {
	StartedAt time.Time `json:"started_at"`
	// Listed is the number of objects listed so far, ListedAll reports whether the listing is
	// complete, and Expected is the expected total: the number of objects in the last generation
	// or, if that is larger, the number listed so far.
	Listed    int64 `json:"listed"`
	ListedAll bool  `json:"listed_all"`
	Expected  int64 `json:"expected"`
	// Settled is the number of objects with an outcome. It includes Copied and Quarantined.
	Settled     int64 `json:"settled"`
	Copied      int64 `json:"copied"`
	CopiedBytes int64 `json:"copied_bytes"`
	Quarantined int64 `json:"quarantined"`
	// ObjectsPerSecond counts settled objects, and BytesPerSecond copied bytes, over the last
	// minute.
	ObjectsPerSecond float64 `json:"objects_per_second"`
	BytesPerSecond   float64 `json:"bytes_per_second"`
	// ETASeconds is the estimated time to settle the remaining objects at the current rate; absent
	// if it is unknown.
	ETASeconds *float64 `json:"eta_seconds,omitempty"`
}

// LastPass is the result of a pass.
type LastPass struct {
	EndedAt time.Time `json:"ended_at"`
	// Result is complete, quarantined, undeleted, drained, denied or failed.
	Result      string `json:"result"`
	Pass        int64  `json:"pass"`
	Listed      int64  `json:"listed"`
	Copied      int64  `json:"copied"`
	CopiedBytes int64  `json:"copied_bytes"`
	Unchanged   int64  `json:"unchanged"`
	Quarantined int64  `json:"quarantined"`
	// Deleted is the number of copies deleted because their source object is gone. Withheld is how many
	// were due and were kept because a limit forbids it, and Refused how many because of an error.
	Deleted  int64   `json:"deleted,omitempty"`
	Withheld int64   `json:"withheld,omitempty"`
	Refused  int64   `json:"refused,omitempty"`
	Seconds  float64 `json:"seconds"`
}

// Failure describes the last failed pass, and the series of failed passes up to that pass.
type Failure struct {
	Class string `json:"class"`
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"`
	// At is when the last pass failed. Since is when the first failed pass since the last success
	// failed, and Passes the number of failed passes since then.
	At     time.Time `json:"at"`
	Since  time.Time `json:"since"`
	Passes int       `json:"passes"`
}

// Lease is the state of the lease on the ledger, as far as this process knows.
type Lease struct {
	Held bool `json:"held"`
	// Holder is the other process that holds the lease.
	Holder string `json:"holder,omitempty"`
	// ExpiresAt is when the lease expires unless it is renewed; absent for a ledger in a folder.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}
