package web

import "syncd/internal/daemon/status"

// Source is the daemon that is shown.
type Source interface {
	// Snapshot returns how everything is.
	Snapshot() *status.Snapshot
	// Readiness returns whether the process can work. A probe asks for it: it may take no longer
	// than such a one waits.
	Readiness() status.Readiness
	// Health returns why the process should be started again, nil while it should not.
	Health() error
}
