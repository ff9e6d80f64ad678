package daemon_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"syncd/config/schedule"
	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/history"
	"syncd/internal/control"
	"syncd/internal/daemon"
	"syncd/internal/daemon/appointment"
	"syncd/internal/daemon/line"
	"syncd/internal/daemon/status"
	"syncd/internal/syncer"
)

// command runs a pass like `syncd backfill`, as a separate process.
func (a *asked) command(t *testing.T) error {
	t.Helper()
	w, ok := a.worker("command", options(), "").(always)
	if !ok {
		t.Fatal("no syncer")
	}
	_, err := w.Do(t.Context(), syncer.Order{})
	if closeErr := w.Close(); closeErr != nil {
		t.Error(closeErr)
	}
	return err
}

// deny denies access to the source until heal is called.
func (a *asked) deny() (heal func()) {
	return a.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "owner-data", Kind: awsfake.AccessDenied})
}

// check checks the displayed status and metrics.
func (a *asked) check(t *testing.T, what string, d *daemon.Daemon, o daemon.Options, state, activity status.State, generation int64) status.Mapping {
	t.Helper()
	got := statusOf(t, d)
	if got.State != state || got.Activity != activity {
		t.Errorf("%s: got %s and %s, %+v, want %s and %s\n%s", what, got.State, got.Activity, got.Error, state, activity, a.log)
	}
	if got.Generation == nil || *got.Generation != generation {
		t.Errorf("%s: got generation %v, want %d", what, got.Generation, generation)
	}
	isFailing := value(t, o.Gatherer, "syncd_failing_since_timestamp_seconds", "m") != 0
	if want := state == status.Failing; isFailing != want || want != (got.Error != nil) {
		t.Errorf("%s: got failing in the metrics: %v, %+v, want %v", what, isFailing, got.Error, want)
	}
	return got
}

// TestAFailureMendedByACommandIsOver checks that a failure that a command has fixed ends within
// five minutes, whatever the schedule, even if the daemon never ran a pass of the mapping.
func TestAFailureMendedByACommandIsOver(t *testing.T) {
	daily, err := schedule.Parse("30 3 * * *")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		schedule appointment.Schedule
		atOnce   bool
	}{"failed here": {every(24 * time.Hour), true}, "failed in a command": {daily, false}, "without schedule": {nil, false}} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				a := newAsked(t)
				a.put("k")
				heal := a.deny()
				o := a.options("a", tt.schedule, "")
				o.Mappings[0].AtOnce = tt.atOnce
				if !tt.atOnce && a.command(t) == nil {
					t.Fatal("the command did not fail")
				}
				d, stop := start(t, o)
				time.Sleep(time.Minute)
				rests := status.Waiting
				if tt.schedule == nil {
					rests = status.Unscheduled
				}
				a.check(t, "before", d, o, status.Failing, rests, 0)
				heal()
				if err := a.command(t); err != nil {
					t.Fatal(err)
				}
				time.Sleep(6 * time.Minute)
				a.check(t, "after", d, o, rests, rests, 1)
				stop()
			})
		})
	}
}

// TestAFailureEndsWhereAnotherReplicaSucceeds checks that the failure of one replica ends when
// another replica has successful passes.
func TestAFailureEndsWhereAnotherReplicaSucceeds(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("k")
		heal := a.deny()
		o := a.options("a", every(24*time.Hour), "")
		o.Mappings[0].AtOnce = true
		d, stop := start(t, o)
		time.Sleep(time.Minute)
		a.check(t, "before", d, o, status.Failing, status.Waiting, 0)
		heal()
		_, stopOther := start(t, a.options("b", every(10*time.Minute), ""))
		time.Sleep(16 * time.Minute)
		a.check(t, "after", d, o, status.Waiting, status.Waiting, 1)
		stop()
		stopOther()
	})
}

// reloading returns a func that makes the configuration change.
func reloading(o *daemon.Options) (reload func()) {
	changes := make(chan struct{}, 1)
	m := o.Mappings[0]
	o.Watch = func(ctx context.Context, apply func([]daemon.Mapping)) {
		for {
			select {
			case <-changes:
				m.Revision++
				apply([]daemon.Mapping{m})
			case <-ctx.Done():
				return
			}
		}
	}
	return func() { changes <- struct{}{}; time.Sleep(time.Minute) }
}

// TestAQuarantineEndsAfterAReload checks that a quarantine that was emptied is shown as empty after
// a reload.
func TestAQuarantineEndsAfterAReload(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("k")
		heal := a.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.AccessDenied})
		o := a.options("a", every(24*time.Hour), "")
		o.Mappings[0].AtOnce = true
		reload := reloading(&o)
		d, stop := start(t, o)
		time.Sleep(time.Minute)
		a.check(t, "before", d, o, status.Quarantined, status.Waiting, 1)
		a.submit(t, request(control.Pause)) // without the lease, the process reads the ledger
		time.Sleep(10 * time.Minute)
		heal()
		if err := a.command(t); err != nil {
			t.Fatal(err)
		}
		reload()
		a.check(t, "after", d, o, status.Paused, status.Paused, 2)
		stop()
	})
}

// TestAPauseHidesNothingAfterARestart checks that a pause hides neither a failure, nor a
// quarantine, nor what a command copies, even after a restart and a reload.
func TestAPauseHidesNothingAfterARestart(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("k", "poisoned")
		healCopy := a.Inject(awsfake.Fault{Operation: "CopyObject", Key: "poisoned", Kind: awsfake.AccessDenied})
		if err := a.command(t); err != nil {
			t.Fatal(err)
		}
		if _, err := a.desk.Pause(t.Context(), request(control.Pause)); err != nil {
			t.Fatal(err)
		}
		restart := func(holder string) (d *daemon.Daemon, o daemon.Options, reload, stop func()) {
			o = a.options(holder, every(time.Minute), "")
			o.Mappings[0].AtOnce = true
			reload = reloading(&o)
			d, stop = start(t, o)
			time.Sleep(time.Minute)
			return d, o, reload, stop
		}
		d, o, reload, stop := restart("a")
		if got := a.check(t, "quarantined", d, o, status.Quarantined, status.Paused, 1); len(got.History) != 1 || got.Quarantine["denied"] != 1 {
			t.Errorf("got history %+v and quarantine %v, want one entry in each", got.History, got.Quarantine)
		}
		reload()
		a.check(t, "quarantined, reloaded", d, o, status.Quarantined, status.Paused, 1)
		stop()

		healCopy()
		a.put("another")
		heal := a.deny()
		if a.command(t) == nil {
			t.Fatal("the command did not fail")
		}
		d, o, reload, stop = restart("b")
		before := a.check(t, "failing", d, o, status.Failing, status.Paused, 1)
		reload()
		after := a.check(t, "failing, reloaded", d, o, status.Failing, status.Paused, 1)
		if len(after.History) != 2 || !after.Since.Equal(before.Since) {
			t.Errorf("got %d passes in the history, and failing since %s, want 2 and %s as before", len(after.History), after.Since, before.Since)
		}
		heal()
		if err := a.command(t); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute)
		a.check(t, "mended by a command", d, o, status.Quarantined, status.Paused, 2) // the object was not retried yet
		stop()
	})
}

// TestTheLineHidesNothing checks that the data of a mapping is known while it waits in line.
func TestTheLineHidesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		operation string
		state     status.State
	}{"a failure": {"ListObjectsV2", status.Failing}, "a quarantine": {"CopyObject", status.Quarantined}} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				a := newAsked(t)
				a.put("k")
				bucket := "owner-data"
				if tt.operation == "CopyObject" {
					bucket = ""
				}
				a.Inject(awsfake.Fault{Operation: tt.operation, Bucket: bucket, Kind: awsfake.AccessDenied})
				if err := a.command(t); (err != nil) != (tt.state == status.Failing) {
					t.Fatal(err)
				}
				o := a.options("a", every(time.Minute), "")
				o.Line = line.New(1, o.Metrics)
				o.Mappings[0].AtOnce = true
				w := &worker{passes: &passes{took: time.Hour, origin: time.Now()}}
				first := mapping("first", w)
				second := o.Mappings[0]
				open := second.Open
				second.Open = func(ctx context.Context) (daemon.Runner, error) {
					runner, err := open(ctx)
					if r, ok := runner.(always); ok {
						return late{r}, err
					}
					return runner, err
				}
				o.Mappings = []daemon.Mapping{first, second}
				d, stop := start(t, o)
				time.Sleep(40 * s)
				for _, got := range d.Snapshot().Mappings {
					if got.Mapping == "m" && (got.State != tt.state || got.Activity != status.Queued || got.Line == nil) {
						t.Errorf("got %s and %s, want %s and in line\n%s", got.State, got.Activity, tt.state, a.log)
					}
				}
				stop()
			})
		})
	}
}

// late is a Runner that becomes ready after all other Runners.
type late struct{ always }

func (late) Ready(context.Context) error { time.Sleep(s); return nil }

// sessionless is a Runner that has no sessions.
type sessionless struct{ always }

func (sessionless) Ready(context.Context) error {
	return &awserr.CredentialsError{Err: errors.New("AssumeRole (request " + time.Now().Format("150405") + "): AccessDenied")}
}

// TestAFailureBeforeTheLeaseIsRemembered checks that a failure before the lease was acquired is
// known after a restart and in other processes, and is stored as one record, however often the pass
// is retried.
func TestAFailureBeforeTheLeaseIsRemembered(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("k")
		options := func(holder string, atOnce bool) daemon.Options {
			o := a.options(holder, every(24*time.Hour), "")
			o.Mappings[0].AtOnce = atOnce
			if atOnce {
				o.Mappings[0].Schedule = every(time.Minute)
			}
			open := o.Mappings[0].Open
			o.Mappings[0].Open = func(ctx context.Context) (daemon.Runner, error) {
				runner, err := open(ctx)
				r, ok := runner.(always)
				if !ok {
					return nil, errors.New("no syncer")
				}
				return sessionless{r}, err
			}
			return o
		}
		d, stop := start(t, options("a", true))
		time.Sleep(time.Hour)
		first := statusOf(t, d)
		if first.State != status.Failing || first.Ready || first.Error.Passes < 10 {
			t.Fatalf("got %s, ready %v, %+v, want it failing and not ready", first.State, first.Ready, first.Error)
		}
		stop()
		if passes := a.history(t); len(passes) != 1 || passes[0].Class != "credentials" || passes[0].Pass != 0 {
			t.Errorf("got %+v in the history, want the failure once\n%s", passes, a.log)
		}
		o := options("b", false)
		d, stop = start(t, o)
		time.Sleep(5 * s)
		got := statusOf(t, d)
		if got.State != status.Failing || got.Since.Sub(first.Since).Abs() > s || got.Error.Class != "credentials" {
			t.Errorf("got %s since %s, %+v, want failing since %s, as before\n%s", got.State, got.Since, got.Error, first.Since, a.log)
		}
		stop()

		// Another process that holds the lease reports the results of the mapping.
		_, stopOther := start(t, a.options("c", every(time.Minute), ""))
		time.Sleep(90 * s)
		_, stop = start(t, options("d", true))
		time.Sleep(10 * time.Minute)
		stop()
		stopOther()
		if passes := a.history(t); slices.ContainsFunc(passes[1:], func(r history.Pass) bool { return r.Class != "" }) {
			t.Errorf("got %+v in the history, want no failure of a process without the lease", passes)
		}
	})
}

// TestRequestsDuringARequestedPass checks that a trigger or a replay that arrives during a
// requested pass is carried out right after that pass.
func TestRequestsDuringARequestedPass(t *testing.T) {
	const m = time.Minute
	for name, second := range map[string]control.What{"a trigger": control.Trigger, "a replay": control.Replay} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				a := newAsked(t)
				w := &worker{passes: &passes{took: 4 * m, origin: time.Now()}}
				o := a.options("a", every(24*time.Hour), "")
				o.Mappings[0].Open = func(context.Context) (daemon.Runner, error) { return w, nil }
				_, stop := start(t, o)
				time.Sleep(10 * m)
				a.submit(t, request(control.Trigger))
				time.Sleep(2 * m)
				r := request(second)
				if second == control.Replay {
					r.Reasons = []string{"denied"}
				}
				a.submit(t, r)
				time.Sleep(10 * m)
				stop()
				began := w.starts()
				if len(began) != 2 || began[1]-began[0] != 4*m {
					t.Errorf("got passes at %v, want the second right after the first", began)
				}
				a.answer(t, r)
			})
		})
	}
}
