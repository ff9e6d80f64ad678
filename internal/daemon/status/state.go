package status

// State is how a mapping is, or what it does at the moment. Its values are part of the public
// surface; docs/status-page.md lists them with what each looks like in the metrics.
type State string

// The states. A mapping is in the first one, from the top, that applies. Failing, Quarantined and
// Unknown say how it is whatever it does at the moment; the others say what it does, and are the
// only values of an activity.
const (
	// Idle is a mapping that has not begun, or has ended.
	Idle State = "idle"
	// Failing is a mapping whose last pass failed, also while the next one runs, and while it is
	// paused.
	Failing State = "failing"
	// Stalled is a mapping whose pass has shown no sign of life for as long as the watchdog waits.
	Stalled State = "stalled"
	// Quarantined is a mapping with objects in quarantine.
	Quarantined State = "quarantined"
	// Paused is a mapping that has no passes until it is resumed.
	Paused State = "paused"
	// Draining is a mapping whose pass finishes what it has in hand.
	Draining State = "draining"
	// StandingBy is a mapping whose lease another process holds.
	StandingBy State = "standing_by"
	// Unscheduled is a mapping without a schedule: its passes run when somebody asks for them.
	Unscheduled State = "unscheduled"
	// Unknown is a mapping whose source was never listed to its end, as far as this process knows.
	Unknown State = "unknown"
	// Running is a mapping whose pass runs.
	Running State = "running"
	// Queued is a mapping whose pass is due and does not run yet: it gets its sessions, or waits in
	// line for a place.
	Queued State = "queued"
	// Waiting is a mapping that waits for its next pass.
	Waiting State = "waiting"
)

// Urgency orders the states by how much they want attention. A paused mapping wants none, and comes
// before the others that do not: somebody has to end the pause.
func Urgency() []State {
	return []State{Failing, Stalled, Quarantined, Unknown, Paused, Draining, Running, Queued, StandingBy, Unscheduled, Waiting, Idle}
}

// Attention is lower the more a mapping in this state wants it. States that come and go with every
// pass count alike, so that rows stay where they are.
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
