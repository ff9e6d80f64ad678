package awsfake

import (
	"net/http"
	"time"
)

func errArchived(o *object) error {
	e := refuse(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class").
		with("StorageClass", o.storageClass)
	if o.storageClass == classIntelligentTiering {
		return e.with("AccessTier", "ARCHIVE_ACCESS")
	}
	return e
}

// showArchive sets the headers that tell an archived object from one that can be read.
func showArchive(o *object, h http.Header, now time.Time) {
	switch {
	case o.storageClass == classIntelligentTiering && o.archiveTier:
		h.Set("X-Amz-Archive-Status", "ARCHIVE_ACCESS")
	case o.inArchive() && !o.archived(now):
		h.Set("X-Amz-Restore", `ongoing-request="false", expiry-date="`+o.restoredUntil.UTC().Format(http.TimeFormat)+`"`)
	}
}
