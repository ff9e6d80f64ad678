package web

import (
	"net"
	"net/http"
	"sync"
)

// maxConnections limits the open connections. If there are more, the connection that has been
// waiting longest is closed, so that a probe is served even if other clients keep connections open.
// The listener accepts at most twice as many connections before it waits for one to close.
const maxConnections = 256

// connections tracks the open connections.
type connections struct {
	mu sync.Mutex
	n  int64
	at map[net.Conn]visit
}

// visit is the state of a connection.
type visit struct {
	since     int64 // the number (n) of the state change that began this state
	isWaiting bool  // the server waits for a request or for the rest of a request
}

// note records a state change of a connection, and closes a connection if there are too many.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.at, conn)
		return
	}
	if leaves := c.stands(conn, state); leaves != nil {
		_ = leaves.Close() // the client may have closed the connection
	}
}

// stands records the state of a connection. If there are too many connections, it returns the
// connection to close: the connection that has been waiting longest or, if none is waiting, the
// connection that has been active longest.
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
