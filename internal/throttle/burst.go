package throttle

import "time"

const (
	// A burst begins where at least suddenly of the last answers are refused although the service
	// took steadily of what was sent within the last second, and not sooner after the one before
	// than betweenBursts: that is how a quota looks.
	suddenly      = 0.9
	steadily      = 0.7
	betweenBursts = 500 * time.Millisecond
	// It is over once less than a quarter of sinceCut answers is refused, within longestBurst: so
	// little tells of no quota that has refused most.
	sinceCut     = 20
	longestBurst = 3 * time.Second
)

// burst is what may be a moment in which a service refuses all, as while a partition is split: it
// ends whether less is sent or not. A quota that is exceeded refuses again soon when the cuts for
// it are taken back, and then has taken little within the last second.
type burst struct {
	before bearing // of the first cut
	until  time.Time
	seen   share // since the last cut
}

// next returns the burst after one more cut, nil for none; last is when the one before was over. It
// may be called on nil.
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

// add learns from an answer to what was sent after the last cut. That the cuts were useless says
// that the burst is over.
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
