// Package status is how a daemon and its mappings are, as it is shown: one value, made once, that
// the page, the JSON and the probes read.
//
// It promises that what is not known is absent, and never 0; that no text holds a secret is up to
// its maker. Its JSON forms are contracts, which docs/status-page.md describes.
//
// It leaves to the daemon what a mapping does, and to package web what that looks like.
//
// The words: a state is how a mapping is, the worst first; an activity is what it does at the
// moment.
package status

import (
	"time"

	"syncd/internal/checkpoint/history"
	"syncd/internal/creds"
	"syncd/internal/transfer"
)

// Snapshot is how the daemon and its mappings are at one moment. Its JSON form is a contract:
// docs/status-page.md describes it.
type Snapshot struct {
	At        time.Time `json:"at"`
	StartedAt time.Time `json:"started_at"`
	Version   string    `json:"version"`
	Draining  bool      `json:"draining"`
	Passes    Passes    `json:"passes"`
	// ClockSkewSeconds is how far the clock of this machine is ahead of that of AWS, negative when
	// it is behind; absent before the first answer.
	ClockSkewSeconds *float64 `json:"clock_skew_seconds,omitempty"`
	// Counts are how many mappings are in each state; a state without any is absent.
	Counts map[State]int `json:"counts"`
	// Mappings are in the order of the configuration.
	Mappings []Mapping `json:"mappings"`
}

// ClockWarning says that the clock of this machine is wrong, "" when it is not.
func (s *Snapshot) ClockWarning() string {
	if s.ClockSkewSeconds == nil {
		return ""
	}
	return creds.ClockWarning(time.Duration(*s.ClockSkewSeconds * float64(time.Second)))
}

// Passes is how many passes run and how many mappings wait for one.
type Passes struct {
	// Limit is how many may run at once; 0 means that there is no bound.
	Limit   int64 `json:"limit"`
	Running int64 `json:"running"`
	Waiting int64 `json:"waiting"`
}

// Side is the source or the destination of a mapping, as it is shown: the JSON form of a place.
type Side struct {
	// Service is the S3-compatible service, "" for AWS.
	Service string `json:"service,omitempty"`
	Bucket  string `json:"bucket"`
	Prefix  string `json:"prefix,omitempty"`
	Region  string `json:"region,omitempty"`
	// Account is the account that owns the bucket, where it is configured.
	Account string `json:"account,omitempty"`
}

// SideOf is what is shown of a place.
func SideOf(p transfer.Place) Side {
	return Side{Service: p.Service(), Bucket: p.Bucket, Prefix: p.Prefix, Region: p.Region, Account: p.Account}
}

// String says where it is, and at which service unless that is AWS.
func (s Side) String() string {
	text := transfer.Place{Bucket: s.Bucket, Prefix: s.Prefix}.String()
	if s.Service != "" {
		text += " at " + s.Service
	}
	return text
}

// Mapping is how one mapping is. What is not known is absent, and never 0.
type Mapping struct {
	Mapping string `json:"mapping"`
	// Source is what is copied, Destination where to, Method how.
	Source      Side            `json:"source"`
	Destination Side            `json:"destination"`
	Method      transfer.Method `json:"method,omitempty"`
	State       State           `json:"state"`
	// Since is when it came into this state, as far as this process has seen. Of a failing mapping
	// it is when the first of the passes failed that have failed in a row.
	Since time.Time `json:"since"`
	// Activity is what the mapping does at the moment: a state as well, and never failing,
	// quarantined or unknown.
	Activity      State     `json:"activity"`
	ActivitySince time.Time `json:"activity_since"`
	// Ready says that the mapping gets on or stands by; WhyNot says why it does not.
	Ready  bool   `json:"ready"`
	WhyNot string `json:"why_not,omitempty"`
	// Schedule is "" for a mapping without one.
	Schedule string `json:"schedule"`
	// NextPass is when the next pass is due; absent while one runs.
	NextPass *time.Time `json:"next_pass,omitempty"`
	// Line is where the mapping waits in line for a pass; absent while it does not.
	Line *Line `json:"line,omitempty"`
	// OldestUnsyncedSeconds is the age of the oldest change of the source that is known and not
	// copied, quarantine included.
	OldestUnsyncedSeconds *float64 `json:"oldest_unsynced_seconds,omitempty"`
	// LastSuccess is when a pass reached its end last, LastListing when the source was listed to
	// its end last.
	LastSuccess *time.Time `json:"last_success,omitempty"`
	LastListing *time.Time `json:"last_listing,omitempty"`
	// Generation and Entries are those of the ledger.
	Generation *int64 `json:"generation,omitempty"`
	Entries    *int64 `json:"entries,omitempty"`
	// BacklogObjects and BacklogBytes are listed and still to be copied.
	BacklogObjects *int64 `json:"backlog_objects,omitempty"`
	BacklogBytes   *int64 `json:"backlog_bytes,omitempty"`
	// Progress is that of the pass in progress.
	Progress *Progress `json:"progress,omitempty"`
	// LastPass is the pass that ended last in this process.
	LastPass *LastPass `json:"last_pass,omitempty"`
	// Paused says since when the mapping is paused and who has paused it; absent when it is not.
	Paused *Pause `json:"paused,omitempty"`
	// History are the passes that ended last, whatever process ran them, newest first, once this
	// one has read them.
	History []history.Pass `json:"history,omitempty"`
	// Quarantine counts the objects set aside by reason; it is empty where there are none.
	Quarantine map[string]int64 `json:"quarantine,omitzero"`
	// Error is how the last pass failed; absent when it did not.
	Error *Failure `json:"error,omitempty"`
	Lease Lease    `json:"lease"`
	// Credentials is when the session of each side ends unless it is renewed, for those that do.
	Credentials map[string]time.Time `json:"credentials"`
	// Concurrency is how many requests may be sent at once, RateLimits how many may be sent per
	// second, by side, where there is a bound. Throttled is how often a service asked to slow down.
	Concurrency *int64             `json:"concurrency,omitempty"`
	RateLimits  map[string]float64 `json:"rate_limits"`
	Throttled   int64              `json:"throttled"`
}

// Pause is since when a mapping is paused, and by whom: what is shown of a control.Paused, whose
// own form is that of a record of the state. Both are empty where that could not be read.
type Pause struct {
	At  time.Time `json:"at,omitzero"`
	Who string    `json:"who,omitempty"`
}

// Line is a place in line.
type Line struct {
	// Position is 1 for the mapping whose turn is next.
	Position int       `json:"position"`
	Since    time.Time `json:"since"`
}

// Progress is where the pass in progress stands.
type Progress struct {
	StartedAt time.Time `json:"started_at"`
	// Listed is the number of objects listed so far; ListedAll says that there are no more.
	// Expected is how many to expect.
	Listed    int64 `json:"listed"`
	ListedAll bool  `json:"listed_all"`
	Expected  int64 `json:"expected"`
	// Settled objects have an outcome; Copied and Quarantined ones are among them.
	Settled     int64 `json:"settled"`
	Copied      int64 `json:"copied"`
	CopiedBytes int64 `json:"copied_bytes"`
	Quarantined int64 `json:"quarantined"`
	// ObjectsPerSecond counts settled objects, BytesPerSecond copied bytes, over the last minute.
	ObjectsPerSecond float64 `json:"objects_per_second"`
	BytesPerSecond   float64 `json:"bytes_per_second"`
	// ETASeconds is how long it takes to settle what is expected, at this rate; absent while that
	// cannot be known.
	ETASeconds *float64 `json:"eta_seconds,omitempty"`
}

// LastPass is what became of a pass.
type LastPass struct {
	EndedAt time.Time `json:"ended_at"`
	// Result is complete, quarantined, drained, denied or failed.
	Result      string  `json:"result"`
	Pass        int64   `json:"pass"`
	Listed      int64   `json:"listed"`
	Copied      int64   `json:"copied"`
	CopiedBytes int64   `json:"copied_bytes"`
	Unchanged   int64   `json:"unchanged"`
	Quarantined int64   `json:"quarantined"`
	Seconds     float64 `json:"seconds"`
}

// Failure is how a pass failed.
type Failure struct {
	Class string `json:"class"`
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"`
	// At is when it failed, Since when the first of Passes did that failed in a row.
	At     time.Time `json:"at"`
	Since  time.Time `json:"since"`
	Passes int       `json:"passes"`
}

// Lease is who may write the ledger, as far as it is known here.
type Lease struct {
	Held bool `json:"held"`
	// Holder is the other process that holds it.
	Holder string `json:"holder,omitempty"`
	// ExpiresAt is when it ends unless it is renewed; absent for a folder.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}
