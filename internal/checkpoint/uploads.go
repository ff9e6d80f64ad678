package checkpoint

import (
	"maps"
	"slices"

	"syncd/internal/checkpoint/record"
)

// maxKept is the maximum number of uploads in a manifest: an outage can interrupt any number of
// uploads, and a manifest is read into memory as a whole.
const maxKept = 1000

// uploads are the multipart uploads that a pass must record. The caller holds unsaved.mu.
type uploads struct {
	begun   map[string]record.Upload // by id: uploads of unsettled slots
	left    map[string]record.Upload // by id: recorded by earlier processes, or replaced by another upload of the same slot
	kept    map[string]record.Upload // by id: uploads of objects that this pass quarantined, for a later pass
	version int64                    // increases with every change that must be saved
	saved   int64                    // version in the last progress record
}

// newUploads returns the uploads of a pass that has settled some keys. The parameter found lists the
// uploads that earlier processes recorded.
func newUploads(found []record.Upload, settled record.Ranges) uploads {
	u := uploads{begun: make(map[string]record.Upload), left: make(map[string]record.Upload, len(found)), kept: make(map[string]record.Upload)}
	for _, f := range found {
		if f.Kept && !f.Left && settled.Contains(f.Key) {
			u.kept[f.ID] = f
		} else {
			u.left[f.ID] = f
		}
	}
	return u
}

// changed reports whether the uploads differ from those in the last progress record.
func (u *uploads) changed() bool { return u.saved < u.version }

// all returns the uploads that a progress record must name, and their version.
func (u *uploads) all() ([]record.Upload, int64) {
	all := slices.AppendSeq(slices.Collect(maps.Values(u.left)), maps.Values(u.begun))
	all = slices.AppendSeq(all, maps.Values(u.kept))
	slices.SortFunc(all, record.CompareUploads)
	return all, u.version
}

// offer returns the newest resumable upload left for key.
func (u *uploads) offer(key string) (best record.Upload, ok bool) {
	for _, l := range u.left {
		if l.Key == key && !l.Left && (!ok || record.CompareUploads(best, l) < 0) {
			best, ok = l, true
		}
	}
	best.Kept = false
	return best, ok
}

// began records now as the upload of a slot. It replaces the upload whose ID is before ("" for
// none). It returns the version of the uploads; a progress record with this or a later version
// includes now.
func (u *uploads) began(now record.Upload, before string) int64 {
	if given, ok := u.begun[before]; ok && before != now.ID {
		// UploadEnded was not called for the replaced upload, so the caller must abort that upload.
		u.left[before] = given
		delete(u.begun, before)
	}
	if u.left[now.ID] != now && u.begun[now.ID] != now {
		u.version++
	}
	delete(u.left, now.ID)
	u.begun[now.ID] = now
	return u.version
}

// keep keeps an upload for a later pass, unless too many are kept already.
func (u *uploads) keep(from map[string]record.Upload, id string) bool {
	now, ok := from[id]
	if !ok || now.Left || len(u.kept) >= maxKept {
		return false
	}
	delete(from, id)
	now.Kept = true
	u.kept[id] = now
	u.version++
	return true
}

// hold keeps the upload of an object that stays in quarantine without an attempt, if the upload is
// for the quarantined source version.
func (u *uploads) hold(q *record.Quarantined) {
	if offered, ok := u.offer(q.Key); ok && offered.Source.Same(q.Source) {
		u.keep(u.left, offered.ID)
	}
}

// forget removes an upload that has ended.
func (u *uploads) forget(in map[string]record.Upload, id string) {
	if _, ok := in[id]; ok {
		delete(in, id)
		u.version++
	}
}
