package throttle

import "time"

const (
	// A burst begins under three conditions: the share of refusals among the answers is at least
	// suddenly, the share of the last second's requests that the service accepted is at least
	// steadily, and the previous burst ended at least betweenBursts ago. An exceeded quota does not
	// meet these conditions.
	suddenly      = 0.9
	steadily      = 0.7
	betweenBursts = 500 * time.Millisecond
	// A burst is over if, within longestBurst, at least sinceCut answers have arrived and less than
	// a quarter of them are refusals. An exceeded quota that has refused most requests would still
	// refuse more than a quarter.
	sinceCut     = 20
	longestBurst = 3 * time.Second
)

// burst is a suspected short time in which a service refuses every request, for example while it
// splits a partition. A burst ends even if the rate is not reduced. An exceeded quota, in contrast,
// refuses requests again soon after the cuts are undone. At that time the service has accepted few
// of the last second's requests, so no new burst begins.
type burst struct {
	before bearing // state before the first cut
	until  time.Time
	seen   share // answers since the last cut
}

// next returns the burst after another cut, nil if there is no burst. The parameter last is when
// the previous burst ended. The parameters refused and took are the shares of requests that were
// refused and accepted. The receiver can be nil.
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

// add counts an answer to a request sent after the last cut. If the burst is over, it returns
// useless, which means that the cuts were unnecessary.
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
