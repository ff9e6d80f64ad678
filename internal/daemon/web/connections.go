package web

import (
	"net"
	"net/http"
	"sync"
)

// maxConnections is how many connections are open at once: of more, those are closed that wait
// longest. A probe is served that way however many others hold on to theirs. No more than twice as
// many are accepted before one is closed.
const maxConnections = 256

// connections is the connections that are open.
type connections struct {
	mu sync.Mutex
	n  int64
	at map[net.Conn]visit
}

// visit is how a connection stands.
type visit struct {
	since     int64 // when it came to stand so: the number of changes of all connections before that
	isWaiting bool  // the server waits for a request, or for the whole of one
}

// note records each change of a connection, and closes one when there are too many.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.at, conn)
		return
	}
	if leaves := c.stands(conn, state); leaves != nil {
		_ = leaves.Close() // its client may have closed it
	}
}

// stands notes how a connection stands, and returns the one that has to leave, nil for none: of
// those that wait the one that does so longest, or of all where none waits.
func (c *connections) stands(conn net.Conn, state http.ConnState) (leaves net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.at[conn] = visit{since: c.n, isWaiting: state != http.StateActive}
	if len(c.at) <= maxConnections {
		return nil
	}
	for other, v := range c.at {
		if other == conn {
			continue
		}
		if least := c.at[leaves]; leaves == nil || v.isWaiting && !least.isWaiting || v.isWaiting == least.isWaiting && v.since < least.since {
			leaves = other
		}
	}
	delete(c.at, leaves)
	return leaves
}
