package status

// State is the state of a mapping, or its current activity. The values are a stable interface;
// docs/status-page.md lists them and their equivalents in the metrics.
type State string

// The states. The state of a mapping is the first of these states that applies, from top to bottom.
// Failing, Quarantined and Unknown do not depend on what the mapping is doing. The other states are
// also the values of an activity.
const (
	// Idle means that the mapping has not started, or has ended.
	Idle State = "idle"
	// Failing means that the last pass failed, even if the next pass is running or the mapping is
	// paused.
	Failing State = "failing"
	// Stalled means that the pass has made no progress for the configured watchdog time.
	Stalled State = "stalled"
	// Quarantined means that there are objects in quarantine.
	Quarantined State = "quarantined"
	// Paused means that the mapping runs no passes until it is resumed.
	Paused State = "paused"
	// Draining means that the pass is finishing its work in progress and will end.
	Draining State = "draining"
	// StandingBy means that another process holds the lease.
	StandingBy State = "standing_by"
	// Unscheduled means that the mapping has no schedule: its passes run only on request.
	Unscheduled State = "unscheduled"
	// Unknown means that, as far as this process knows, the source was never fully listed.
	Unknown State = "unknown"
	// Running means that a pass is running.
	Running State = "running"
	// Queued means that a pass is due but not running: it is getting its sessions or waiting in
	// line.
	Queued State = "queued"
	// Waiting means that the mapping waits for its next pass to be due.
	Waiting State = "waiting"
)

// Urgency returns the states in the order of urgency, most urgent first. A paused mapping needs no
// attention, but it is the first of the states that need none, because an operator must end the
// pause.
func Urgency() []State {
	return []State{Failing, Stalled, Quarantined, Unknown, Paused, Draining, Running, Queued, StandingBy, Unscheduled, Waiting, Idle}
}

// Attention returns the rank of the state; mappings with the lowest rank need attention most.
// States that change with every pass have the same rank, so that the rows of the page do not move
// with every pass.
func (s State) Attention() int {
	switch s {
	case Failing:
		return 0
	case Stalled:
		return 1
	case Quarantined:
		return 2
	case Unknown:
		return 3
	case Paused:
		return 4
	case Idle, Draining, StandingBy, Unscheduled, Running, Queued, Waiting:
	}
	return 5
}
