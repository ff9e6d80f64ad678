package checkpoint

import (
	"maps"
	"slices"

	"syncd/internal/checkpoint/record"
)

// maxKept bounds the uploads that a generation names: an outage may break off any number, and a
// generation is read whole.
const maxKept = 1000

// uploads are the multipart uploads that a pass has to record. They are used under unsaved.mu.
type uploads struct {
	begun   map[string]record.Upload // by id: of slots that are not settled
	left    map[string]record.Upload // by id: recorded by earlier processes, or given up for another upload of the same slot
	kept    map[string]record.Upload // by id: of objects that this pass has set aside, for a later one
	version int64                    // rises with every change of what is to be saved
	saved   int64                    // version that the progress record saved last was of
}

// newUploads takes over what was found by a pass that resumes after mark.
func newUploads(found []record.Upload, mark string) uploads {
	u := uploads{begun: make(map[string]record.Upload), left: make(map[string]record.Upload, len(found)), kept: make(map[string]record.Upload)}
	for _, f := range found {
		if f.Kept && !f.Left && f.Key <= mark {
			u.kept[f.ID] = f
		} else {
			u.left[f.ID] = f
		}
	}
	return u
}

// changed reports whether the last progress record names other uploads.
func (u *uploads) changed() bool { return u.saved < u.version }

// all returns what a progress record has to name, and the version of it.
func (u *uploads) all() ([]record.Upload, int64) {
	all := slices.AppendSeq(slices.Collect(maps.Values(u.left)), maps.Values(u.begun))
	all = slices.AppendSeq(all, maps.Values(u.kept))
	slices.SortFunc(all, record.CompareUploads)
	return all, u.version
}

// offer returns the youngest upload that was left under key and can be resumed.
func (u *uploads) offer(key string) (best record.Upload, ok bool) {
	for _, l := range u.left {
		if l.Key == key && !l.Left && (!ok || record.CompareUploads(best, l) < 0) {
			best, ok = l, true
		}
	}
	best.Kept = false
	return best, ok
}

// began makes now the upload of a slot, in place of the one with the id before. It returns the
// version from which on a record names it.
func (u *uploads) began(now record.Upload, before string) int64 {
	if given, ok := u.begun[before]; ok && before != now.ID {
		u.left[before] = given // nobody said that it ended
		delete(u.begun, before)
	}
	if u.left[now.ID] != now && u.begun[now.ID] != now {
		u.version++
	}
	delete(u.left, now.ID)
	u.begun[now.ID] = now
	return u.version
}

// keep moves an upload to those that a later pass resumes, unless there are too many of them.
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

// hold keeps the upload that is offered to a slot whose object is not tried, if it is of the
// version that was set aside.
func (u *uploads) hold(q *record.Quarantined) {
	if offered, ok := u.offer(q.Key); ok && offered.Source.Same(q.Source) {
		u.keep(u.left, offered.ID)
	}
}

// forget drops an upload that is over.
func (u *uploads) forget(in map[string]record.Upload, id string) {
	if _, ok := in[id]; ok {
		delete(in, id)
		u.version++
	}
}
