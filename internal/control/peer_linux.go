package control

import (
	"net"
	"syscall"
)

// peerOf returns the user who connected to a Unix socket.
func peerOf(c net.Conn) (uid int, ok bool) {
	peer, ok := credentialsOf(c)
	if !ok {
		return 0, false
	}
	return int(peer.Uid), true
}

// processOf returns the id of the process at the other end of a Unix socket, or 0 if it is unknown.
func processOf(c net.Conn) (pid int) {
	peer, ok := credentialsOf(c)
	if !ok {
		return 0
	}
	return int(peer.Pid)
}

// credentialsOf returns the credentials of the process at the other end of a Unix socket; see
// SO_PEERCRED in unix(7).
func credentialsOf(c net.Conn) (peer *syscall.Ucred, ok bool) {
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return nil, false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, false
	}
	var failure error
	err = raw.Control(func(fd uintptr) {
		peer, failure = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	return peer, err == nil && failure == nil
}
