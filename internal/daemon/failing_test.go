package daemon_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/control"
	"syncd/internal/daemon"
)

// A process that starts in the middle of a failure finds out when it began, and shows the passes since.
func TestFailingLastsOverProcesses(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("k")
		d, stop := start(t, a.options("a", every(time.Minute), ""))
		time.Sleep(90 * s)
		if got := status(t, d); got.State != daemon.Waiting {
			t.Fatalf("got %s, %+v, want a copy that works", got.State, got.Error)
		}
		a.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "owner-data", Kind: awsfake.AccessDenied})
		time.Sleep(3 * time.Minute)
		first := status(t, d)
		if first.State != daemon.Failing || first.Error.Passes < 2 {
			t.Fatalf("got %s, %+v, want passes that fail", first.State, first.Error)
		}
		stop()
		d, stop = start(t, a.options("b", every(time.Minute), ""))
		time.Sleep(3 * time.Minute)
		second := status(t, d)
		if apart := second.Since.Sub(first.Since).Abs(); second.State != daemon.Failing || apart > 5*s {
			t.Errorf("got %s since %s, want it failing since %s as before\n%s", second.State, second.Since, first.Since, a.log)
		}
		page := ask(t, d.Handler(), "/status").Body.String()
		if !strings.Contains(page, "<details class=\"history\"") || !strings.Contains(page, "<strong>failed</strong>") {
			t.Errorf("the page does not show the passes:\n%s", page)
		}
		stop()
	})
}

// A mapping that is paused is shown as that, and wants no attention.
func TestAPausedMappingIsShownAsSuch(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
		a := newAsked(t)
		d, stop := start(t, a.options("a", every(time.Hour), ""))
		a.submit(t, request(control.Pause))
		time.Sleep(time.Minute)
		page := ask(t, d.Handler(), "/status").Body.String()
		for _, want := range []string{"No mapping needs attention.", `class="paused"`, "<strong>Paused</strong> by alice@laptop"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q:\n%s", want, page)
			}
		}
		stop()
	})
}
