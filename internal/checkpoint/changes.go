package checkpoint

import (
	"cmp"
	"slices"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"
)

// changes are rows of settled keys that are not saved, in any order.
type changes struct {
	entries     []chunk.EntryRow
	quarantined []chunk.QuarantineRow
	// moreEntries and moreQuarantined are by how much the rows change the number of keys that have
	// an entry or are in quarantine.
	moreEntries, moreQuarantined int64
}

func (c *changes) len() int { return len(c.entries) + len(c.quarantined) }

// add adds the rows for a key that was settled. The entry e is the new entry, or the former entry if
// that stays, and q the new quarantine row; nil for none.
func (c *changes) add(key *watermark.Key, before record.Rows, e *record.Entry, q *record.Quarantined, pass int64) {
	switch {
	case key.How == watermark.Recorded:
		c.entries = append(c.entries, chunk.RowOfEntry(e))
		if before.Entry == nil {
			c.moreEntries++
		}
	case e != nil && before.Entry != nil && (e.Missed != before.Entry.Missed || e.MissedIn != before.Entry.MissedIn):
		kept := *before.Entry
		kept.Missed, kept.MissedIn = e.Missed, e.MissedIn
		c.entries = append(c.entries, chunk.RowOfEntry(&kept))
	case before.Entry != nil && (key.How == watermark.AsideWithout || key.How == watermark.Dropped):
		c.entries = append(c.entries, chunk.RemovedEntry(key.Name, pass))
		c.moreEntries--
	}
	switch {
	case q == nil && before.Quarantined != nil:
		c.quarantined = append(c.quarantined, chunk.RemovedQuarantined(key.Name, pass))
		c.moreQuarantined--
	case q != nil && before.Quarantined == nil:
		c.moreQuarantined++
		fallthrough
	case q != nil && (!key.Held || !q.WrittenSince.Equal(before.Quarantined.WrittenSince)):
		c.quarantined = append(c.quarantined, chunk.RowOfQuarantined(continued(key, before.Quarantined, q)))
	}
}

// continued returns the row of a quarantined object, with what the former row says about the same
// source version. A held object keeps its row except for WrittenSince.
func continued(key *watermark.Key, before, now *record.Quarantined) *record.Quarantined {
	row := *now
	switch {
	case key.Held:
		row = *before
		row.WrittenSince = now.WrittenSince
	case before != nil && before.Source.Same(now.Source):
		row.FirstAt = before.FirstAt
		row.Attempts += before.Attempts
	}
	return &row
}

// with returns the changes of c and of later changes.
func (c changes) with(later changes) changes {
	return changes{
		slices.Concat(c.entries, later.entries), slices.Concat(c.quarantined, later.quarantined),
		c.moreEntries + later.moreEntries, c.moreQuarantined + later.moreQuarantined,
	}
}

// sort sorts the rows by key.
func (c *changes) sort() {
	slices.SortFunc(c.entries, func(a, b chunk.EntryRow) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(c.quarantined, func(a, b chunk.QuarantineRow) int { return cmp.Compare(a.Key, b.Key) })
}
