package throttle

import (
	"math"
	"time"
)

const (
	// horizon is how many answers, the last ones, a share is taken of.
	horizon = 500
	// maxStray is the share of refused answers that is left alone. A service of many machines
	// refuses one now and then.
	maxStray = 0.01
	// certain is the log-likelihood ratio at which answers decide: a wrong alarm is raised once in
	// some hundred thousand.
	certain = 10
	// measured is how many answers measure a refused share, unless maxMeasuring is over before.
	measured     = 100
	maxMeasuring = 200 * time.Millisecond
)

// share is the part of the last answers that was refused.
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

// value is 0 before the first answer.
func (s *share) value() float64 { return s.refused / max(s.answers, 1) }

// spread is the standard deviation of the value.
func (s *share) spread() float64 {
	p := s.value()
	return math.Sqrt(p * (1 - p) / max(s.answers, 1))
}

// odds is how much more likely an answer is when a share of high is refused than when it is low, as
// a logarithm.
func odds(isRefused bool, high, low float64) float64 {
	if isRefused {
		return math.Log(high / low)
	}
	return math.Log((1 - high) / (1 - low))
}

// alarm finds that more is refused than is borne, after as few answers as that takes: some ten when
// all are refused, hundreds when a few percent are. It is a cumulative sum of log-likelihood ratios
// (E. S. Page, "Continuous inspection schemes", 1954).
type alarm struct {
	sum    float64
	since  share     // since the sum was last 0
	raised time.Time // when that became certain; zero: it is not
	first  float64   // the share at that time
}

// add reports whether the share of refused answers exceeds what is borne. That becomes certain
// where chance has made the share large, so a true answer waits until there are enough answers to
// measure it.
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

// tooMuch is the refused share that is told from one that is borne.
func tooMuch(borne float64) float64 { return min(borne+0.04+0.3*borne, (1+borne)/2) }

// share returns which part is refused now: of the last answers, unless these are from before a
// sudden change.
func (a *alarm) share(last *share, borne float64) float64 {
	long, recent := last.value(), a.since.value()
	if long <= borne || recent > 3*tooMuch(borne) {
		return recent
	}
	return long
}
