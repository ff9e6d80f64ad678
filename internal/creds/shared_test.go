package creds_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/creds"
)

// connections counts the connections of a server.
type connections struct{ made, open atomic.Int64 }

func (c *connections) note(_ net.Conn, state http.ConnState) {
	switch state { //nolint:exhaustive // other states do not count
	case http.StateNew:
		c.made.Add(1)
		c.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		c.open.Add(-1)
	}
}

// TestSetsShareConnections checks that many Sets with the same settings, which send requests to one
// service in turn, use one connection, and that it is closed when no client is left.
func TestSetsShareConnections(t *testing.T) {
	var seen connections
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("ETag", `"e"`) }))
	server.Config.ConnState = seen.note
	startTLS(t, server)
	ask := func(o creds.Options) *s3.Client {
		t.Helper()
		client := clientOf(t, server, o)
		if _, err := put(t, client, 1); err != nil {
			t.Fatal(err)
		}
		return client
	}
	shared := new(creds.Shared)
	func() {
		for range 20 {
			ask(creds.Options{Shared: shared, Connections: 64})
		}
		last := ask(creds.Options{Shared: shared, Connections: 64})
		first := seen.made.Load()
		if first > 5 { // a connection may be opened before the previous connection is idle
			t.Errorf("got %d connections of 21 sets that share them, want about 1", first)
		}
		ask(creds.Options{Shared: shared, Connections: 64, AllowHTTP: true})
		if n := seen.made.Load(); n != first+1 {
			t.Errorf("got %d connections after a set with other settings, want %d", n, first+1)
		}
		until(t, "the connection of the set with other settings is closed", func() bool { return seen.open.Load() == first })
		if _, err := put(t, last, 1); err != nil || seen.made.Load() != first+1 {
			t.Errorf("got %v with %d connections, want the remaining client to use its connection", err, seen.made.Load())
		}
	}()
	until(t, "no connection is open", func() bool { return seen.open.Load() == 0 })
}

// until runs the garbage collector until holds returns true, or gives up after a while.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("gave up waiting until %s", what)
		}
		runtime.GC()
	}
}

// TestSetsThatShareHaveTheirOwnSessions checks that a role that cannot be assumed for one mapping
// does not affect another mapping with the same ambient configuration.
func TestSetsThatShareHaveTheirOwnSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Shared = new(creds.Shared)
		first, second := w.client(t, w.open(t), "syncd"), w.client(t, w.open(t), "syncd")
		for _, client := range []*s3.Client{first, second} {
			if err := list(t.Context(), client); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.assumed(); n != 2 {
			t.Errorf("got %d calls of AssumeRole, want one for each set", n)
		}
		w.cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Kind: awsfake.AccessDenied})
		if err := w.try(t, "syncd"); err == nil {
			t.Error("got no error from the third set, want its role refused")
		}
		if err := list(t.Context(), first); err != nil {
			t.Errorf("got %v, want the first set to keep its session", err)
		}
	})
}
