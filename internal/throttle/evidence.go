package throttle

import (
	"math"
	"time"
)

const (
	// horizon is the number of recent answers over which a share is measured.
	horizon = 500
	// maxStray is the share of refused answers that is ignored. A service with many machines
	// refuses a request now and then.
	maxStray = 0.01
	// certain is the log-likelihood ratio at which the answers are sufficient evidence. It causes
	// about one false alarm in a hundred thousand.
	certain = 10
	// measured is the number of answers over which a refused share is measured, unless the time
	// maxMeasuring ends first.
	measured     = 100
	maxMeasuring = 200 * time.Millisecond
)

// share is the part of the recent answers that were refusals.
type share struct{ refused, answers float64 }

func (s *share) add(isRefused bool) {
	if s.answers >= horizon {
		s.refused *= 1 - 1.0/horizon
		s.answers *= 1 - 1.0/horizon
	}
	s.answers++
	if isRefused {
		s.refused++
	}
}

// value returns the share, 0 before the first answer.
func (s *share) value() float64 { return s.refused / max(s.answers, 1) }

// spread returns the standard deviation of the value.
func (s *share) spread() float64 {
	p := s.value()
	return math.Sqrt(p * (1 - p) / max(s.answers, 1))
}

// odds returns the logarithm of how much more likely an answer is if the refused share is high than
// if it is low.
func odds(isRefused bool, high, low float64) float64 {
	if isRefused {
		return math.Log(high / low)
	}
	return math.Log((1 - high) / (1 - low))
}

// alarm detects, with as few answers as possible, that more requests are refused than tolerated:
// about ten if all are refused, hundreds if a few percent are. It is a cumulative sum of
// log-likelihood ratios (E. S. Page, "Continuous inspection schemes", 1954).
type alarm struct {
	sum    float64
	since  share     // answers since the sum was last 0
	raised time.Time // when the alarm became certain; zero if it is not
	first  float64   // refused share when the alarm became certain
}

// add adds an answer and reports whether the refused share exceeds the tolerated share borne. The
// sum tends to reach certainty when the share is large by chance, so add returns true only after
// enough further answers to measure the share.
func (a *alarm) add(now time.Time, isRefused bool, borne float64) bool {
	a.since.add(isRefused)
	a.sum += odds(isRefused, tooMuch(borne), borne)
	switch {
	case a.sum <= 0:
		*a = alarm{}
	case a.sum < certain:
		a.raised = time.Time{}
	case a.raised.IsZero():
		a.raised, a.first = now, a.since.value()
	}
	return !a.raised.IsZero() && (a.since.answers >= measured || now.Sub(a.raised) >= maxMeasuring)
}

// tooMuch returns the smallest refused share that can be distinguished from the tolerated share
// borne.
func tooMuch(borne float64) float64 { return min(borne+0.04+0.3*borne, (1+borne)/2) }

// share returns the present refused share: the share in last or, after a sudden change, the share
// of only the most recent answers.
func (a *alarm) share(last *share, borne float64) float64 {
	long, recent := last.value(), a.since.value()
	if long <= borne || recent > 3*tooMuch(borne) {
		return recent
	}
	return long
}
