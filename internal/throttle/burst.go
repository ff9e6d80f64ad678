package throttle

import "time"

const (
	// A burst begins if the share of refused answers is at least suddenly, the service accepted at
	// least the share steadily of the requests of the last second, and the previous burst ended at
	// least betweenBursts ago. An exceeded quota does not meet these conditions.
	suddenly      = 0.9
	steadily      = 0.7
	betweenBursts = 500 * time.Millisecond
	// A burst is over if, within longestBurst, less than a quarter of at least sinceCut answers is
	// refused. An exceeded quota that has refused most requests would still refuse more than that.
	sinceCut     = 20
	longestBurst = 3 * time.Second
)

// burst is a suspected short time in which a service refuses every request, for example while it
// splits a partition. A burst ends whether or not fewer requests are sent. In contrast, an exceeded
// quota refuses requests again soon after the cuts are undone, and has then accepted little within
// the last second.
type burst struct {
	before bearing // state before the first cut
	until  time.Time
	seen   share // answers since the last cut
}

// next returns the burst after another cut, nil if there is no burst. Last is when the previous
// burst ended; refused and took are shares of requests. The receiver can be nil.
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
