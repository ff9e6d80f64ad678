package condition

import (
	"time"

	"syncd/internal/syncer"
)

// rateWindow is the period over which rates are computed.
const rateWindow = time.Minute

// pulse is the last time that a pass showed activity.
type pulse struct {
	signs int64
	last  time.Time
}

func (p *pulse) beat(now time.Time) { p.last = now }

// see records the number of signs of activity so far.
func (p *pulse) see(now time.Time, signs int64) {
	if signs != p.signs {
		p.signs, p.last = signs, now
	}
}

// trail contains samples of the progress of a pass from the last minute.
type trail []sample

type sample struct {
	at             time.Time
	settled, bytes int64
}

func (t *trail) begin(now time.Time) { *t = trail{{at: now}} }

func (t *trail) add(now time.Time, p syncer.Progress) {
	*t = append(*t, sample{now, p.Settled, p.CopiedBytes})
	for len(*t) > 1 && now.Sub((*t)[0].at) > rateWindow {
		*t = (*t)[1:]
	}
}

// rates returns objects and bytes per second since the start of the trail.
func (t trail) rates(now time.Time, p syncer.Progress) (objects, bytes float64) {
	if len(t) == 0 {
		return 0, 0
	}
	seconds := max(now.Sub(t[0].at).Seconds(), 1)
	return float64(max(p.Settled-t[0].settled, 0)) / seconds, float64(max(p.CopiedBytes-t[0].bytes, 0)) / seconds
}
