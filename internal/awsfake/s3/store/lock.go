package store

import (
	"net/http"
	"time"

	"syncd/internal/awsfake/wire"
)

// Retention modes ("Locking objects with Object Lock", Amazon S3 User Guide).
const (
	Governance = "GOVERNANCE" // can be deleted early with s3:BypassGovernanceRetention
	Compliance = "COMPLIANCE" // cannot be deleted before the date
)

// Lock prevents a version of an object from being deleted. The zero value is no lock.
type Lock struct {
	Mode      string    // [Governance], [Compliance], or "" for no retention
	Until     time.Time // end of the retention
	LegalHold bool      // prevents deletion regardless of the date
	EventHold bool      // prevents deletion until the hold is removed; the retention starts then
	HoldDays  int       // retention after the event hold, in days
	HoldYears int       // or in years
}

// holds reports whether the lock prevents its version from being deleted now.
func (l Lock) holds(now time.Time, bypass bool) bool {
	spared := bypass && l.Mode == Governance
	return l.LegalHold || l.EventHold || l.Mode != "" && now.Before(l.Until) && !spared
}

func errLocked() *wire.Error {
	return wire.Refuse(http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
}
