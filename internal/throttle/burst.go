package throttle

import "time"

const (
	// A burst begins when at least the share suddenly of the last answers is refused although the
	// service accepted at least the share steadily of what was sent within the last second, and at
	// least betweenBursts after the previous one. A quota looks different.
	suddenly      = 0.9
	steadily      = 0.7
	betweenBursts = 500 * time.Millisecond
	// A burst is over once less than a quarter of at least sinceCut answers is refused, within
	// longestBurst. A quota that has refused most requests would refuse more.
	sinceCut     = 20
	longestBurst = 3 * time.Second
)

// burst is a possible moment in which a service refuses everything, as while it splits a partition.
// It ends whether or not fewer requests are sent. An exceeded quota refuses again soon after its
// cuts are taken back, and then has accepted little within the last second.
type burst struct {
	before bearing // before the first cut
	until  time.Time
	seen   share // since the last cut
}

// next returns the burst after one more cut, nil for none. Last is when the previous burst ended.
// The receiver may be nil.
func (b *burst) next(now, last time.Time, before bearing, refused, took float64) *burst {
	switch {
	case b != nil:
		b.seen = share{}
		return b
	case refused >= suddenly && took >= steadily && now.Sub(last) >= betweenBursts:
		return &burst{before: before, until: now.Add(longestBurst)}
	default:
		return nil
	}
}

// add learns from an answer to a request sent after the last cut. It returns useless, meaning that
// the cuts were unnecessary, if the burst is over.
func (b *burst) add(now time.Time, isRefused bool) finding {
	b.seen.add(isRefused)
	switch {
	case now.After(b.until):
		return helped
	case b.seen.answers >= sinceCut && b.seen.value() < 0.25:
		return useless
	default:
		return undecided
	}
}
