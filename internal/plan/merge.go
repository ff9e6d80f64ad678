package plan

import (
	"iter"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
)

// row contains what the source, the ledger and the quarantine have for one key.
type row struct {
	key      string
	object   listing.Object
	isThere  bool // whether the source has the object
	previous *record.Entry
	aside    *record.Quarantined
}

// rows returns the rows that the ledger has for the key.
func (r row) rows() record.Rows { return record.Rows{Entry: r.previous, Quarantined: r.aside} }

// merge joins the three inputs by key. Each must be in ascending order; entries and quarantine may
// be nil. It ends with the part, or after the first error of any input.
func merge(
	source iter.Seq2[listing.Object, error],
	ledger iter.Seq2[record.Entry, error],
	quarantine iter.Seq2[record.Quarantined, error],
	part Part,
) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		entries, stop := pull(ledger, func(e *record.Entry) string { return e.Key })
		defer stop()
		aside, stop := pull(quarantine, func(q *record.Quarantined) string { return q.Key })
		defer stop()
		known := known{entries, aside}
		for object, err := range source {
			if err != nil {
				yield(row{}, err)
				return
			}
			if !known.below(object.Key, yield) {
				return
			}
			here := known.take(object.Key)
			here.object, here.isThere = object, true
			if !yield(here, nil) {
				return
			}
		}
		known.below(part.limit(), yield)
	}
}

// known contains the two inputs of the merge that come from the ledger: entries and quarantine.
type known struct {
	entries *cursor[record.Entry]
	aside   *cursor[record.Quarantined]
}

// below yields the rows before key that the source does not have, or all remaining rows if key is
// "". It reports whether the merge continues.
func (k known) below(key string, yield func(row, error) bool) bool {
	for {
		switch {
		case k.entries.err != nil:
			yield(row{}, k.entries.err)
			return false
		case k.aside.err != nil:
			yield(row{}, k.aside.err)
			return false
		}
		next, ok := k.least()
		if !ok || key != "" && next >= key {
			return true
		}
		if !yield(k.take(next), nil) {
			return false
		}
	}
}

// least returns the lower of the two inputs' next keys. The result ok is false at the end of both
// inputs.
func (k known) least() (key string, ok bool) {
	switch {
	case !k.entries.more:
		return k.aside.key, k.aside.more
	case !k.aside.more:
		return k.entries.key, true
	default:
		return min(k.entries.key, k.aside.key), true
	}
}

func (k known) take(key string) row {
	return row{key: key, previous: k.entries.take(key), aside: k.aside.take(key)}
}

// cursor walks one input of the merge, and has always read the next value of the input. A nil
// sequence is empty.
type cursor[T any] struct {
	next  func() (T, error, bool)
	keyOf func(*T) string
	value T
	key   string
	err   error
	more  bool
}

func pull[T any](values iter.Seq2[T, error], keyOf func(*T) string) (c *cursor[T], stop func()) {
	c = &cursor[T]{keyOf: keyOf}
	if values == nil {
		return c, func() {}
	}
	c.next, stop = iter.Pull2(values)
	c.advance()
	return c, stop
}

func (c *cursor[T]) advance() {
	if c.value, c.err, c.more = c.next(); c.more && c.err == nil {
		c.key = c.keyOf(&c.value)
	}
}

// take returns the value for key, or nil if this input has none.
func (c *cursor[T]) take(key string) *T {
	if !c.more || c.err != nil || c.key != key {
		return nil
	}
	value := c.value
	c.advance()
	return &value
}
