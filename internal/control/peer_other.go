//go:build !linux

package control

import "net"

// peerOf is not implemented on this system. Only the mode of the socket decides who can connect.
func peerOf(net.Conn) (uid int, ok bool) { return 0, false }

// processOf is not implemented on this system.
func processOf(net.Conn) (pid int) { return 0 }
