package store

import (
	"net/http"
	"time"

	"syncd/internal/awsfake/wire"
)

// The modes of retention ("Locking objects with Object Lock", Amazon S3 User Guide).
const (
	Governance = "GOVERNANCE" // s3:BypassGovernanceRetention may delete nevertheless
	Compliance = "COMPLIANCE" // nobody can delete before the date
)

// Lock is what keeps one version of an object from being deleted; the zero value is no lock.
type Lock struct {
	Mode      string    // [Governance], [Compliance], or "" for no retention
	Until     time.Time // the end of the retention
	LegalHold bool      // keeps the version whatever the date
	EventHold bool      // keeps the version until somebody ends it; the retention runs from then on
	HoldDays  int       // how long that retention is: so many days
	HoldYears int       // or so many years
}

// holds reports whether the lock keeps its version from being deleted now.
func (l Lock) holds(now time.Time, bypass bool) bool {
	spared := bypass && l.Mode == Governance
	return l.LegalHold || l.EventHold || l.Mode != "" && now.Before(l.Until) && !spared
}

func errLocked() *wire.Error {
	return wire.Refuse(http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
}
