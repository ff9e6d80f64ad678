package daemon

import (
	"context"
	"net/http"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
)

const (
	// stateEvery is how often the state is looked at, stateAgain how often while it cannot be reached, and stateTimeout how long a
	// look may take.
	stateEvery   = time.Minute
	stateAgain   = 5 * time.Second
	stateTimeout = 10 * time.Second
	// stateFailures is how many looks in a row fail before a process is not ready any more: a service may fail for a moment.
	stateFailures = 3
)

// Readiness is the answer of /readyz. Its JSON form is a contract: docs/status-page.md describes it.
type Readiness struct {
	// Ready says that the process can work, and WhyNot why it cannot. Neither depends on how single mappings are.
	Ready  bool   `json:"ready"`
	WhyNot string `json:"why_not,omitempty"`
	// Mappings says of each mapping whether it is ready.
	Mappings []MappingReadiness `json:"mappings"`
}

// MappingReadiness is whether one mapping gets on or stands by, and why it does not.
type MappingReadiness struct {
	Mapping string `json:"mapping"`
	Ready   bool   `json:"ready"`
	WhyNot  string `json:"why_not,omitempty"`
	// State is that of the status, as it was up to half a minute ago.
	State State `json:"state"`
}

// ready answers whether the process can work. A mapping that fails on account of its own roles, buckets or ledger says nothing about
// that: neither a restart nor another process would do better.
func (d *Daemon) ready(w http.ResponseWriter, _ *http.Request) {
	answer, status := Readiness{Mappings: []MappingReadiness{}}, http.StatusOK
	held := d.leases()
	draining := d.isDraining()
	for _, k := range d.kept() {
		answer.Mappings = append(answer.Mappings, k.readiness(held[k.m.Name], draining))
	}
	answer.WhyNot = d.whyNot(len(answer.Mappings))
	answer.Ready = answer.WhyNot == ""
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, answer)
}

// leases tells of the mappings in force which have their lease here. It does not gather the metrics for it, as a snapshot does: that
// takes a fleet longer than a probe waits.
func (d *Daemon) leases() map[string]bool {
	d.mu.Lock() // under which removed mappings are forgotten: asking for their series would bring it back
	defer d.mu.Unlock()
	held := map[string]bool{}
	for _, name := range d.order {
		var m dto.Metric
		held[name] = d.o.Metrics.LeaseHeld.WithLabelValues(name).Write(&m) == nil && m.GetGauge().GetValue() == 1
	}
	return held
}

// readiness returns whether the mapping is ready, and its state by what the metrics said last.
func (k *keeper) readiness(leaseHeld, draining bool) MappingReadiness {
	now := k.d.o.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.facts
	f.leaseHeld = leaseHeld
	why := k.whyNot(leaseHeld)
	return MappingReadiness{k.m.Name, why == "", why, k.judge(now, f, draining).state}
}

// whyNot tells why the process cannot work, "" when it can.
func (d *Daemon) whyNot(mappings int) string {
	switch {
	case d.isDraining():
		return "draining"
	case mappings == 0:
		return "no mapping is kept yet"
	default:
		return d.redact.text(d.state.whyNot())
	}
}

// reach is whether the state can be reached.
type reach struct {
	mu       sync.Mutex
	isKnown  bool // it was reached once, or need not be
	failures int  // in a row
	err      error
}

// watchState looks whether the state can be reached, until ctx ends.
func (d *Daemon) watchState(ctx context.Context) {
	if d.o.CheckState == nil && d.o.Control == nil {
		d.state.note(nil)
		return
	}
	for ctx.Err() == nil {
		err := d.lookAtState(ctx)
		if ctx.Err() != nil {
			return
		}
		next := d.state.note(err)
		if d.o.Control != nil {
			next = min(next, d.requests.every())
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-d.requests.poke:
		}
		timer.Stop()
	}
}

// note takes note of a look, and returns how long the next one may wait.
func (r *reach) note(err error) (next time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	if err != nil {
		r.failures++
		return stateAgain
	}
	r.isKnown, r.failures = true, 0
	return stateEvery
}

func (r *reach) whyNot() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.err != nil && (!r.isKnown || r.failures >= stateFailures):
		return "the state cannot be reached: " + r.err.Error()
	case !r.isKnown:
		return "the state was not looked at yet"
	default:
		return ""
	}
}
