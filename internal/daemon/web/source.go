package web

import "syncd/internal/daemon/status"

// Source is the daemon whose status is served.
type Source interface {
	// Snapshot returns the current status.
	Snapshot() *status.Snapshot
	// Readiness reports whether the process can work. It must be fast, because probes have short
	// timeouts.
	Readiness() status.Readiness
	// Health returns an error if the process should be restarted.
	Health() error
}
