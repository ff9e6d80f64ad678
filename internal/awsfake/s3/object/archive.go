package object

import (
	"net/http"
	"time"

	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

func errArchived(o *store.Object) error {
	e := wire.Refuse(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class").
		With("StorageClass", o.StorageClass)
	if o.StorageClass == store.ClassIntelligentTiering {
		return e.With("AccessTier", "ARCHIVE_ACCESS")
	}
	return e
}

// showArchive sets the headers that distinguish an archived object from one that can be read.
func showArchive(o *store.Object, h http.Header, now time.Time) {
	switch {
	case o.StorageClass == store.ClassIntelligentTiering && o.ArchiveTier:
		h.Set("X-Amz-Archive-Status", "ARCHIVE_ACCESS")
	case o.InArchive() && !o.Archived(now):
		h.Set("X-Amz-Restore", `ongoing-request="false", expiry-date="`+o.RestoredUntil.UTC().Format(http.TimeFormat)+`"`)
	}
}
