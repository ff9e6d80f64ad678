package config

import (
	"cmp"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"syncd/config/fault"
	"syncd/internal/ascii"
	"syncd/internal/endpoint"
)

// processRules are the rules for the process itself: where it listens, and how it receives
// requests.
type processRules struct{ *validator }

// hostName matches the name of a host (RFC 1123, section 2.1).
var hostName = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?))*\.?$`)

func (v processRules) http(h HTTP) {
	v.check(h.Listen == "" || isListen(h.Listen), "http.listen",
		strconv.Quote(h.Listen)+" is not an address to listen on", "use HOST:PORT or :PORT")
	v.check(!h.Pprof || v.Covers("http.listen") || isLoopback(cmp.Or(h.Listen, DefaultListen)), "http.pprof",
		"exposes the contents of memory to anyone who can reach "+strconv.Quote(h.Listen), "listen on a loopback address such as "+DefaultListen)
	for i, host := range h.Hosts {
		v.check(hostName.MatchString(host), fault.Item("http.hosts", i),
			strconv.Quote(host)+" is not the name of a host", "use a name such as syncd.example.com, without a port")
	}
	v.between("http.watchdog", h.Watchdog, time.Minute, 24*time.Hour)
}

// maxSocketPath is the longest path of a Unix socket that works on every system (unix(7): 108 bytes
// with the final zero byte; 104 elsewhere).
const maxSocketPath = 103

func (v processRules) control(c Control) {
	problem := strconv.Quote(c.Socket) + " is not the path of a socket"
	hint := socketHint(c.Socket)
	v.check(hint == "", "control.socket", problem, hint)
	v.check(len(c.Socket) <= maxSocketPath, "control.socket",
		"is "+strconv.Itoa(len(c.Socket))+" bytes long, but the path of a socket has at most "+strconv.Itoa(maxSocketPath), "use a shorter path such as /run/syncd/control.sock, or off")
	v.check(hint != "" || !strings.ContainsRune(c.Socket, 0) && !strings.HasSuffix(c.Socket, "/"), "control.socket", problem,
		"use a path such as /run/syncd/control.sock, or off")
}

// socketHint returns a hint for a socket that is probably not a path, or "" for a path.
func socketHint(socket string) string {
	if socket == "" || socket == SocketOff {
		return ""
	}
	switch strings.ToLower(socket) {
	case SocketOff, "no", "none", "false", "disabled":
		return "write off for no socket"
	case "on", "yes", "true", "auto", "default":
		return "leave the setting out for the default socket, or use a path such as /run/syncd/control.sock"
	case ".", "..":
		return "name a file in that folder, such as " + socket + "/control.sock"
	}
	switch {
	case strings.HasPrefix(socket, "~"):
		return "only a shell expands ~: write the full path"
	case strings.HasPrefix(socket, "@"):
		return "an abstract socket has no file mode to keep other users out: use a path such as /run/syncd/control.sock"
	case strings.HasPrefix(socket, "unix:"):
		return "leave out unix: and write only the path"
	case strings.Contains(socket, "://") || isListen(socket):
		return "requests are accepted only through a file on this machine: use a path such as /run/syncd/control.sock, or off"
	}
	return ""
}

// isListen reports whether s is HOST:PORT or :PORT, with a numeric port and a host that is an
// address or a name.
func isListen(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return false
	}
	_, err = netip.ParseAddr(host)
	return host == "" || err == nil || hostName.MatchString(host) && !looksNumeric(host)
}

// looksNumeric reports whether a host can only have been meant as an IPv4 address: no top-level
// domain is a number (RFC 3696, section 2).
func looksNumeric(host string) bool {
	last := host[strings.LastIndex(host, ".")+1:]
	return ascii.Digits(last, len(last))
}

// isLoopback reports whether a listen address can be reached only from this machine.
func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return err == nil && endpoint.IsLoopback(strings.ToLower(host))
}
