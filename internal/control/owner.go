package control

import (
	"net"
	"time"
)

// ownerTime bounds how long the owner of a socket is asked for.
const ownerTime = time.Second

// OwnerOf returns the id of the process that listens on a socket, 0 where that cannot be found out.
func OwnerOf(path string) (pid int) {
	conn, err := (&net.Dialer{Timeout: ownerTime}).Dial("unix", path)
	if err != nil {
		return 0
	}
	defer func() { _ = conn.Close() }() // nothing was sent
	return processOf(conn)
}
