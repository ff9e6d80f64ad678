package control

import (
	"net"
	"time"
)

// ownerTime limits how long OwnerOf tries to connect.
const ownerTime = time.Second

// OwnerOf returns the id of the process that listens on a socket, or 0 if it is unknown.
func OwnerOf(path string) (pid int) {
	conn, err := (&net.Dialer{Timeout: ownerTime}).Dial("unix", path)
	if err != nil {
		return 0
	}
	defer func() { _ = conn.Close() }() // nothing was sent
	return processOf(conn)
}
