package control

import (
	"net"
	"syscall"
)

// processOf returns the process at the other end of a Unix socket, 0 where that is not to be found out; see unix(7), SO_PEERCRED.
func processOf(c net.Conn) (pid int) {
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return 0
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if user, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED); err == nil {
			pid = int(user.Pid)
		}
	})
	return pid
}
