package daemon

import (
	"errors"
	"maps"
	"slices"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/creds"
	"syncd/internal/syncer"
)

// Snapshot is how the daemon and its mappings are at one moment. Its JSON form is a contract: docs/status-page.md
// describes it.
type Snapshot struct {
	At        time.Time `json:"at"`
	StartedAt time.Time `json:"started_at"`
	Version   string    `json:"version"`
	Draining  bool      `json:"draining"`
	Passes    Passes    `json:"passes"`
	// ClockSkewSeconds is how far the clock of this machine is ahead of that of AWS, negative when it is behind; absent before the first
	// answer.
	ClockSkewSeconds *float64 `json:"clock_skew_seconds,omitempty"`
	// Counts are how many mappings are in each state; a state without any is absent.
	Counts map[State]int `json:"counts"`
	// Mappings are in the order of the configuration.
	Mappings []Status `json:"mappings"`
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

// Side is the source or the destination of a mapping.
type Side struct {
	// Service is the S3-compatible service, "" for AWS.
	Service string `json:"service,omitempty"`
	Bucket  string `json:"bucket"`
	Prefix  string `json:"prefix,omitempty"`
	Region  string `json:"region,omitempty"`
	// Account is the account that owns the bucket, where it is configured.
	Account string `json:"account,omitempty"`
}

// Status is how one mapping is. What is not known is absent, and never 0.
type Status struct {
	Mapping string `json:"mapping"`
	// Source is what is copied, Destination where to, Method how: server_side or relay.
	Source      Side   `json:"source"`
	Destination Side   `json:"destination"`
	Method      string `json:"method,omitempty"`
	State       State  `json:"state"`
	// Since is when it came into this state, as far as this process has seen. Of a failing mapping it is when the first of the passes failed that
	// have failed in a row.
	Since time.Time `json:"since"`
	// Activity is what the mapping does at the moment: a state as well, and never failing, quarantined or unknown.
	Activity      State     `json:"activity"`
	ActivitySince time.Time `json:"activity_since"`
	// Ready says that the mapping gets on or stands by; WhyNot says why it does not.
	Ready  bool   `json:"ready"`
	WhyNot string `json:"why_not,omitempty"`
	// Schedule is "" for a mapping without one.
	Schedule string `json:"schedule"`
	// NextPass is when the next pass is due; absent while one is under way.
	NextPass *time.Time `json:"next_pass,omitempty"`
	// Line is where the mapping waits in line for a pass; absent while it does not.
	Line *Line `json:"line,omitempty"`
	// OldestUnsyncedSeconds is the age of the oldest change of the source that is known and not copied, quarantine included.
	OldestUnsyncedSeconds *float64 `json:"oldest_unsynced_seconds,omitempty"`
	// LastSuccess is when a pass reached its end last, LastListing when the source was listed to its end last.
	LastSuccess *time.Time `json:"last_success,omitempty"`
	LastListing *time.Time `json:"last_listing,omitempty"`
	// Generation and Entries are those of the ledger.
	Generation *int64 `json:"generation,omitempty"`
	Entries    *int64 `json:"entries,omitempty"`
	// BacklogObjects and BacklogBytes are listed and still to be copied.
	BacklogObjects *int64 `json:"backlog_objects,omitempty"`
	BacklogBytes   *int64 `json:"backlog_bytes,omitempty"`
	// Progress is that of the pass under way.
	Progress *Progress `json:"progress,omitempty"`
	// LastPass is the pass that ended last in this process.
	LastPass *LastPass `json:"last_pass,omitempty"`
	// Paused says since when the mapping is paused and who has paused it; absent when it is not.
	Paused *Pause `json:"paused,omitempty"`
	// History are the passes that ended last, whatever process ran them, newest first, once this one has read them.
	History []checkpoint.PassRecord `json:"history,omitempty"`
	// Quarantine counts the objects set aside by reason; it is empty where there are none.
	Quarantine map[string]int64 `json:"quarantine,omitzero"`
	// Error is how the last pass failed; absent when it did not.
	Error *Failure `json:"error,omitempty"`
	Lease Lease    `json:"lease"`
	// Credentials is when the session of each side ends unless it is renewed, for those that do.
	Credentials map[string]time.Time `json:"credentials"`
	// Concurrency is how many requests may be under way at once, RateLimits how many may be sent per second, by side, where
	// there is a bound. Throttled is how often a service asked to slow down.
	Concurrency *int64             `json:"concurrency,omitempty"`
	RateLimits  map[string]float64 `json:"rate_limits"`
	Throttled   int64              `json:"throttled"`
}

// Pause is since when a mapping is paused, and by whom. Both are empty where that could not be read.
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

// Progress is where the pass under way stands.
type Progress struct {
	StartedAt time.Time `json:"started_at"`
	// Listed is the number of objects listed so far; ListedAll says that there are no more. Expected is how many to expect.
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
	// ETASeconds is how long it takes to settle what is expected, at this rate; absent while that cannot be known.
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

// snapshotFor is how long a snapshot is shown: it takes all metrics together, whoever asks.
const snapshotFor = time.Second

// remembered is the snapshot that was made last.
type remembered struct {
	snapshot *Snapshot
	at       time.Time
}

// Snapshot returns how everything is now, or was up to a second ago.
func (d *Daemon) Snapshot() *Snapshot {
	now := d.o.Now()
	d.mu.Lock()
	shown := d.shown
	d.mu.Unlock()
	if shown.snapshot != nil && now.Sub(shown.at) < snapshotFor {
		return shown.snapshot
	}
	s := d.look(now)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shown = remembered{s, now}
	return s
}

func (d *Daemon) look(now time.Time) *Snapshot {
	known := d.figures()
	s := &Snapshot{
		At: now.UTC(), StartedAt: d.started.UTC(), Version: d.o.Version, Draining: d.isDraining(), ClockSkewSeconds: known.of("").clockSkew,
		Counts: map[State]int{}, Mappings: []Status{},
	}
	s.Passes = Passes{d.o.Places.limit.Load(), d.o.Places.running.Load(), d.o.Places.waiting.Load()}
	for _, k := range d.kept() {
		m := k.status(now, known.of(k.m.Name))
		s.Mappings = append(s.Mappings, m)
		s.Counts[m.State]++
	}
	number(s.Mappings)
	return s
}

// number gives those that wait in line their positions: they stand in the order they came.
func number(mappings []Status) {
	var line []*Line
	for _, m := range mappings {
		if m.Line != nil {
			line = append(line, m.Line)
		}
	}
	slices.SortStableFunc(line, func(a, b *Line) int { return a.Since.Compare(b.Since) })
	for i, l := range line {
		l.Position = i + 1
	}
}

func (d *Daemon) isDraining() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.draining
}

// status puts together what is known of a mapping.
func (k *keeper) status(now time.Time, f *figure) Status {
	draining := k.d.isDraining()
	k.mu.Lock()
	defer k.mu.Unlock()
	j := k.judge(now, f.facts(), draining)
	s := Status{
		Mapping: k.m.Name, Source: k.m.Source, Destination: k.m.Destination, Method: k.m.Method,
		State: j.state, Since: j.since.UTC(), Activity: j.activity, ActivitySince: j.active.UTC(),
		OldestUnsyncedSeconds: f.oldestUnsynced, LastSuccess: known(f.lastSuccess), LastListing: known(f.lastListing),
		Generation: f.generation, Entries: f.entries, BacklogObjects: f.backlogObjects, BacklogBytes: f.backlogLen,
		LastPass: k.last, Quarantine: f.knownQuarantine(), Error: k.failure,
		Lease:       Lease{Held: f.leaseHeld, ExpiresAt: known(f.leaseExpiry)},
		Credentials: filled(f.credentials), Concurrency: f.concurrency, RateLimits: filled(f.rates), Throttled: f.throttles,
	}
	if k.m.Schedule != nil {
		s.Schedule = k.m.Schedule.String()
	}
	s.WhyNot = k.whyNot(f.leaseHeld)
	s.Ready = s.WhyNot == ""
	s.Paused, s.History = k.pause(), k.history()
	if k.held != nil && !f.leaseHeld {
		s.Lease.Holder = k.held.Holder
	}
	if k.begun && !k.running && !k.standing {
		s.NextPass = known(k.due)
	}
	if !k.joined.IsZero() {
		s.Line = &Line{Since: k.joined.UTC()}
	}
	if s.Activity == Running || s.Activity == Stalled || s.Activity == Draining {
		s.Progress = k.progress(now)
	}
	return s
}

// drainMargin is how long a pass may take to end beyond what a drain may take.
const drainMargin = time.Minute

// stuck reports whether the pass under way has shown no sign of life for so long that it should have ended for it.
func (k *keeper) stuck(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.running && now.Sub(k.pulse.last) >= k.d.o.Watchdog+k.d.o.DrainTimeout+drainMargin
}

// whyNot tells why the mapping is not ready, "" when it is. One that waits for its first tick has no lease to ask for yet.
// The caller holds k.mu.
func (k *keeper) whyNot(leaseHeld bool) string {
	f := k.failure
	if k.isRecalled { // another process had no credentials or lease, perhaps
		f = nil
	}
	switch {
	case k.paused != nil:
		return ""
	case f != nil && (f.Class == "credentials" || f.Class == "expired"):
		return "no usable credentials: " + f.Text
	case f != nil && !k.leased:
		return "lease was not got: " + f.Text
	case leaseHeld || k.standing || k.leased:
		return ""
	case k.m.AtOnce && !k.asked:
		return "lease was not asked for yet"
	default:
		return ""
	}
}

// progress tells where the pass under way stands; nil before there is anything to tell. The caller holds k.mu.
func (k *keeper) progress(now time.Time) *Progress {
	if k.runner == nil {
		return nil
	}
	p, ok := k.runner.Progress()
	if !ok {
		return nil
	}
	shown := &Progress{
		StartedAt: k.began.UTC(), Listed: p.Listed, ListedAll: p.Complete, Expected: p.Expected, Settled: p.Settled,
		Copied: p.Copied, CopiedBytes: p.CopiedBytes, Quarantined: p.SetAside,
	}
	shown.ObjectsPerSecond, shown.BytesPerSecond = k.trail.rates(now, p)
	if left := p.Expected - p.Settled; shown.ObjectsPerSecond > 0 && (p.Complete || p.Expected > p.Listed) {
		eta := float64(left) / shown.ObjectsPerSecond
		shown.ETASeconds = &eta
	}
	return shown
}

func lastPass(s syncer.Summary, err error, now time.Time) *LastPass {
	result := checkpoint.ResultComplete
	_, refused := errors.AsType[*syncer.RefusedError](err)
	switch {
	case errors.Is(err, syncer.ErrDrained):
		result = checkpoint.ResultDrained
	case refused:
		result = checkpoint.ResultDenied
	case err != nil:
		result = checkpoint.ResultFailed
	case s.SetAside() > 0:
		result = checkpoint.ResultQuarantined
	}
	return &LastPass{
		EndedAt: now.UTC(), Result: result, Pass: s.Pass, Listed: s.Listed, Copied: s.Copied, CopiedBytes: s.CopiedBytes,
		Unchanged: s.Unchanged, Quarantined: s.SetAside(), Seconds: s.Seconds,
	}
}

// known returns a time that there is, nil for the zero one.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// filled returns a copy that is never nil, so that it is an object in JSON.
func filled[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}
