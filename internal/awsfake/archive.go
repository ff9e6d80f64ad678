package awsfake

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// restoredFor is how long [Bucket.Restore] makes an archived object readable.
const restoredFor = 7 * 24 * time.Hour

// inArchive reports whether the bytes lie where only a restored copy of them can be read. GLACIER_IR,
// whose name deceives, is read at once ("Understanding S3 Glacier storage classes", Amazon S3 User Guide).
func (o *object) inArchive() bool {
	return o.storageClass == classGlacier || o.storageClass == classDeepArchive || o.storageClass == classIntelligentTiering && o.archiveTier
}

// archived reports whether the bytes must be restored before they can be read.
func (o *object) archived(now time.Time) bool { return o.inArchive() && !now.Before(o.restoredUntil) }

// Restore makes the current version of an archived key readable by the owner's hand: for seven days
// of the cloud's clock, or, out of the archive tier of INTELLIGENT_TIERING, from now on. A key that is
// not there, or not archived, is a bug of the caller and panics.
func (b *Bucket) Restore(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.index.get(key).current()
	if o == nil || !o.inArchive() {
		panic(fmt.Sprintf("BUG: nothing archived at %s/%s", b.name, key))
	}
	restored := *o
	restored.archiveTier = false
	if o.storageClass != classIntelligentTiering {
		restored.restoredUntil = b.cloud.now().Add(restoredFor)
	}
	b.replace(o, &restored)
}

func errArchived(o *object) error {
	e := refuse(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class").
		with("StorageClass", o.storageClass)
	if o.storageClass == classIntelligentTiering {
		return e.with("AccessTier", "ARCHIVE_ACCESS")
	}
	return e
}

// showArchive sets the headers that tell an archived object from one that can be read.
func (o *object) showArchive(h http.Header, now time.Time) {
	switch {
	case o.storageClass == classIntelligentTiering && o.archiveTier:
		h.Set("X-Amz-Archive-Status", "ARCHIVE_ACCESS")
	case o.inArchive() && !o.archived(now):
		h.Set("X-Amz-Restore", `ongoing-request="false", expiry-date="`+o.restoredUntil.UTC().Format(http.TimeFormat)+`"`)
	}
}

// restoreStatus is what a listing that was asked for it says of a restored object.
func (q *request) restoreStatus(x *xmlWriter, o *object) {
	if !o.inArchive() || o.archived(q.cloud.now()) ||
		!strings.Contains(q.http.Header.Get("X-Amz-Optional-Object-Attributes"), "RestoreStatus") {
		return
	}
	x.open("RestoreStatus")
	x.boolean("IsRestoreInProgress", false)
	x.time("RestoreExpiryDate", o.restoredUntil)
	x.close("RestoreStatus")
}
