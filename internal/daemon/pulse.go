package daemon

import (
	"time"

	"syncd/internal/syncer"
)

const (
	// sampleEvery is how often it is looked at how far passes are, rateWindow the time that a rate is taken over.
	sampleEvery = 5 * time.Second
	rateWindow  = time.Minute
	// pulseEvery is how often the metrics are looked at for signs of life and for what states depend on, in samples: they take all metrics
	// together. The first sample does too, so that /readyz soon has the states.
	pulseEvery = 6
)

// sample looks at the passes under way until stop is closed.
func (d *Daemon) sample(stop <-chan struct{}) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		var known figures
		if n%pulseEvery == 0 || n == 1 {
			known = d.figures()
		}
		for _, k := range d.kept() {
			k.look(known)
		}
	}
}

// kept returns the keepers that work or wait: of mappings in force in their order, then of removed ones.
func (d *Daemon) kept() []*keeper {
	d.mu.Lock()
	defer d.mu.Unlock()
	var kept []*keeper
	for _, name := range d.order {
		kept = append(kept, d.keepers[name].present())
	}
	for _, k := range d.leaving {
		kept = append(kept, k.present())
	}
	return kept
}

// present returns the keeper whose turn it is: the former one until it has ended.
func (k *keeper) present() *keeper {
	for {
		k.mu.Lock()
		former := k.former
		k.mu.Unlock()
		if former == nil {
			return k
		}
		k = former
	}
}

// look samples how the mapping is and where its pass stands; known is nil where signs of life are not looked for.
func (k *keeper) look(known figures) {
	draining := k.d.isDraining()
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.d.o.Now()
	if known != nil {
		k.judge(now, known.of(k.m.Name).facts(), draining)
	}
	if !k.running || k.runner == nil {
		return
	}
	if known != nil {
		k.pulse.see(now, known.of(k.m.Name).signs)
	}
	if p, ok := k.runner.Progress(); ok {
		k.trail.add(now, p)
	}
	if k.halt != nil && now.Sub(k.pulse.last) >= k.d.o.Watchdog {
		k.log.Error("pass showed no sign of life, ending it", "duration", k.d.o.Watchdog)
		k.halt(errStalled)
		k.halt = nil
	}
}

// pulse is when a pass showed a sign of life last.
type pulse struct {
	signs float64
	last  time.Time
}

func (p *pulse) beat(now time.Time) { p.last = now }

// see takes note of the number of signs so far.
func (p *pulse) see(now time.Time, signs float64) {
	if signs != p.signs {
		p.signs, p.last = signs, now
	}
}

// trail is where a pass stood during the last minute.
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

// rates returns objects and bytes per second from the beginning of the trail until now.
func (t trail) rates(now time.Time, p syncer.Progress) (objects, bytes float64) {
	if len(t) == 0 {
		return 0, 0
	}
	seconds := max(now.Sub(t[0].at).Seconds(), 1)
	return float64(max(p.Settled-t[0].settled, 0)) / seconds, float64(max(p.CopiedBytes-t[0].bytes, 0)) / seconds
}
