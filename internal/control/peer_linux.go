package control

import (
	"net"
	"syscall"
)

// peerOf returns the user at the other end of a Unix socket when it connected; see unix(7), SO_PEERCRED.
func peerOf(c net.Conn) (uid int, ok bool) {
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return 0, false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	var user *syscall.Ucred
	var failure error
	err = raw.Control(func(fd uintptr) {
		user, failure = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err != nil || failure != nil {
		return 0, false
	}
	return int(user.Uid), true
}
