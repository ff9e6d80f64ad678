package assembly

import (
	"cmp"
	"context"
	"crypto/sha256"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"syncd/internal/daemon/appointment"
	"syncd/internal/daemon/line"

	"syncd/config"
	"syncd/config/schedule"
	"syncd/internal/daemon"
	"syncd/internal/invocation"
)

const (
	// reloadEvery is how often to check whether the configuration file has changed. The content is
	// compared, because a ConfigMap is mounted as a link to a link, whose modification times are
	// not reliable.
	reloadEvery = 5 * time.Second
)

// Reloader reloads the configuration. It converts the initial configuration, and each later one, to
// mappings for the daemon.
type Reloader struct {
	flags invocation.Flags
	asked <-chan os.Signal

	shared   *Shared
	started  []*Mapping // the initial mappings
	Places   *line.Line
	building sync.Mutex // held while a mapping is built

	mu       sync.Mutex // guards the fields up to last
	inForce  *config.Config
	revision map[string]int // the revision of each current mapping, by name; it grows when the mapping changes
	last     int            // the last assigned revision

	content [sha256.Size]byte // checksum of the file when it was last read, whether it was applied or refused
	seen    [sha256.Size]byte // checksum of the file when a check last found it changed
}

// NewReloader returns a Reloader for the configuration of a System. A signal on asked makes it read
// the configuration again.
func NewReloader(s *System, f invocation.Flags, asked <-chan os.Signal) *Reloader {
	r := &Reloader{
		flags: f, asked: asked, shared: s.Shared, started: s.Mappings, inForce: s.Config, revision: map[string]int{}, Places: line.New(passesOf(s.Config), s.Metrics),
	}
	r.content, _ = r.look()
	r.succeeded()
	return r
}

// First returns the mappings of the initial configuration, which are already built.
func (r *Reloader) First() []daemon.Mapping {
	var mappings []daemon.Mapping
	for _, m := range r.started {
		r.revision[m.Name] = 0
		runner := r.shared.Runner(m)
		mappings = append(mappings, r.daemonMapping(r.inForce, m.Mapping, func(context.Context) (daemon.Runner, error) { return runner, nil }))
	}
	return mappings
}

// daemonMapping converts a mapping of a configuration for the daemon.
func (r *Reloader) daemonMapping(c *config.Config, m config.Mapping, open func(context.Context) (daemon.Runner, error)) daemon.Mapping {
	d := daemon.Mapping{Name: m.Name, Jitter: m.Jitter.Duration(), Revision: r.revision[m.Name], Open: open}
	d.Source, d.Destination = c.Places(m)
	d.Method = c.Method(m)
	if !m.Verify.Schedule.IsZero() {
		d.Verify = m.Verify.Schedule
	}
	if m.Schedule.IsZero() {
		r.shared.Logger.Warn("mapping has no schedule, its passes run only on request", "mapping", m.Name)
		return d
	}
	d.Schedule = m.Schedule
	// With an interval the first pass is due at once. A cron expression waits for its first time,
	// which the operator chose on purpose.
	if interval, ok := m.Schedule.Every(); ok {
		d.Schedule, d.AtOnce = appointment.NewSpread(m.Name, interval, m.Schedule.String()), true
	}
	return d
}

// Watch reloads the configuration on a signal or when its file has changed, until ctx ends.
func (r *Reloader) Watch(ctx context.Context, apply func([]daemon.Mapping)) {
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	if r.flags.IsReadOnce() {
		r.shared.Logger.Info("configuration came from standard input or a pipe, it will not be reloaded")
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.asked:
			if r.flags.IsReadOnce() {
				r.shared.Logger.Warn("configuration from standard input or a pipe cannot be read again, keeping the current one")
				continue
			}
			r.content, _ = r.look()
		case <-tick.C:
			if !r.changed() {
				continue
			}
		}
		r.reload(apply)
	}
}

// changed reports whether the content of the file has changed since it was last read. It returns
// true only when two checks in a row have found the same content, because a file that is still
// being written can be truncated and yet valid.
func (r *Reloader) changed() bool {
	now, ok := r.look()
	if !ok || now == r.content {
		return false
	}
	settled := now == r.seen
	r.seen = now
	if settled {
		r.content = now
	}
	return settled
}

func (r *Reloader) look() (sum [sha256.Size]byte, ok bool) {
	if r.flags.IsReadOnce() {
		return sha256.Sum256(r.flags.Once), true
	}
	data, err := r.shared.Process.ReadFile(r.flags.Config)
	return sha256.Sum256(data), err == nil
}

// reload applies the configuration, or logs why it is refused.
func (r *Reloader) reload(apply func([]daemon.Mapping)) {
	next, chosen, err := r.Read()
	if err != nil {
		r.shared.Metrics.ReloadSuccess.WithLabelValues().Set(0)
		for line := range strings.Lines(err.Error()) {
			r.shared.Logger.Error("configuration refused, keeping the current one", "fault", strings.TrimSpace(line))
		}
		return
	}
	apply(r.replace(next, chosen))
	invocation.LogWarnings(r.shared.Logger, next)
	r.succeeded()
	r.shared.Logger.Info("configuration reloaded", "mappings", len(chosen))
}

func (r *Reloader) succeeded() {
	r.shared.Metrics.ReloadSuccess.WithLabelValues().Set(1)
	r.shared.Metrics.LastReload.WithLabelValues().Set(float64(r.shared.Process.Now().UnixMilli()) / 1000)
}

// Read loads the configuration and reports everything that prevents it from being applied.
func (r *Reloader) Read() (next *config.Config, chosen []config.Mapping, err error) {
	next, chosen, _, err = invocation.Load(r.shared.Process, r.flags, append(invocation.Gate(), invocation.WarnUnscheduled(r.flags), refuseUnchangeable(r.inForce))...)
	return next, chosen, err
}

// replace makes the configuration next current and returns its mappings for the daemon. A mapping
// that has not changed keeps its revision.
func (r *Reloader) replace(next *config.Config, chosen []config.Mapping) []daemon.Mapping {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	var mappings []daemon.Mapping
	revision := map[string]int{}
	for _, m := range chosen {
		former, known := r.revision[m.Name]
		revision[m.Name] = former
		if before, _ := r.inForce.Mapping(m.Name); !known || !same(r.inForce, before, next, m) {
			revision[m.Name] = r.last
		}
	}
	r.revision, r.inForce = revision, next
	for _, m := range chosen {
		mappings = append(mappings, r.daemonMapping(next, m, func(ctx context.Context) (daemon.Runner, error) { return r.build(ctx, next, m) }))
	}
	r.shared.share.SetLimit(int(next.Concurrency))
	r.Places.SetLimit(passesOf(next))
	return mappings
}

// build builds a mapping for the daemon.
func (r *Reloader) build(ctx context.Context, c *config.Config, m config.Mapping) (daemon.Runner, error) {
	r.building.Lock()
	defer r.building.Unlock()
	built, err := build(ctx, r.shared, c, m)
	if err != nil {
		return nil, err
	}
	return r.shared.Runner(built), nil
}

// Secrets returns the external IDs of the current configuration, as far as they can be read.
func (r *Reloader) Secrets() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var secrets []string
	for _, role := range r.inForce.Roles {
		if id, err := role.ExternalID.Resolve(r.shared.Process.LookupEnv, r.shared.Process.ReadFile); err == nil {
			secrets = append(secrets, id.Reveal())
		}
	}
	return secrets
}

// refuseUnchangeable rejects changes of settings that the daemon reads only at start. It does not
// report settings that were already reported as invalid.
func refuseUnchangeable(former *config.Config) config.Check {
	return func(next *config.Config, r config.Reporter) {
		const restart = "cannot change without a restart"
		for _, setting := range []struct {
			path, problem, instead string
			same                   bool
		}{
			{"state", restart, "", former.State == next.State},
			{"http", restart, "", reflect.DeepEqual(former.HTTP, next.HTTP)},
			{"log", restart, "", former.Log == next.Log},
			{"control", restart, "", former.Control == next.Control},
			{"checkpoint", restart, "", reflect.DeepEqual(former.Checkpoint, next.Checkpoint)},
			{
				"checkpoint.region", "is the region of the first mapping, and " + restart, "set it to " + former.StateRegion() + " to keep it",
				former.StateRegion() == next.StateRegion(),
			},
			{
				"roles." + former.Checkpoint.Role, "writes the state, and " + restart, "",
				former.Checkpoint.Role != next.Checkpoint.Role || reflect.DeepEqual(chain(former, former.Checkpoint.Role), chain(next, next.Checkpoint.Role)),
			},
			{"aws", "has the endpoint of the state, and " + restart, "", !onS3(former.State) || former.AWS == next.AWS},
		} {
			if !setting.same {
				r.Fault(setting.path, setting.problem, "restart syncd, or "+cmp.Or(setting.instead, "restore the former value"))
			}
		}
	}
}

func onS3(state string) bool { return strings.HasPrefix(state, "s3:") }

// same reports whether a mapping is equal in two configurations, including its roles and all other
// settings that it depends on.
func same(former *config.Config, before config.Mapping, next *config.Config, m config.Mapping) bool {
	if before.Schedule.String() != m.Schedule.String() || former.DrainTimeout != next.DrainTimeout || former.AWS != next.AWS {
		return false
	}
	// Schedules are compared by their text above; DeepEqual would compare caches of time zones.
	before.Schedule, m.Schedule = schedule.Schedule{}, schedule.Schedule{}
	for _, roles := range [][2]string{{before.Source.Role, m.Source.Role}, {before.Destination.Role, m.Destination.Role}} {
		if !reflect.DeepEqual(chain(former, roles[0]), chain(next, roles[1])) {
			return false
		}
	}
	return reflect.DeepEqual(before, m)
}

// chain returns the role with the given name and the roles through which it is assumed.
func chain(c *config.Config, name string) (roles []config.Role) {
	for _, hop := range c.Chain(name) {
		roles = append(roles, c.Roles[hop])
	}
	return roles
}
