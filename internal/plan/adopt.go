package plan

import (
	"iter"

	"syncd/internal/listing"
)

// Beside looks for what is to be copied in a listing of the destination: an object of equal size that is not older than its
// source becomes the action's Present, so that whoever carries it out can take it over instead of copying it.
//
// KeyAt gives the destination's key of a source key; it must keep the order of keys, as a change of prefix does. The
// destination must ascend by key. An error of the destination ends the plan.
func Beside(actions Actions, destination iter.Seq2[listing.Object, error], keyAt func(string) (key string, err error)) Actions {
	return func(yield func(Action, error) bool) {
		next, stop := iter.Pull2(destination)
		defer stop()
		beside := neighbor{next: next}
		for a, err := range actions {
			if err == nil && a.Kind == Copy && a.Previous == nil {
				a.Present, err = beside.find(a.Object, keyAt)
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// neighbor walks the destination's side, one object ahead, from when it is asked first.
type neighbor struct {
	next   func() (listing.Object, error, bool)
	begun  bool
	object listing.Object
	err    error
	more   bool
}

func (n *neighbor) advance() { n.object, n.err, n.more = n.next() }

// find returns what the destination holds for the source object, nil when it holds nothing that may be its copy.
func (n *neighbor) find(source listing.Object, keyAt func(string) (string, error)) (*listing.Object, error) {
	key, err := keyAt(source.Key)
	if err != nil {
		return nil, nil //nolint:nilerr // a key that cannot exist there is not there; the copy will say so
	}
	if !n.begun {
		n.begun = true
		n.advance()
	}
	for n.more && n.err == nil && n.object.Key < key {
		n.advance()
	}
	if n.more && n.err != nil {
		return nil, n.err
	}
	if !n.more || n.object.Key != key || n.object.Size != source.Size || n.object.LastModified.Before(source.LastModified) {
		return nil, nil
	}
	found := n.object
	return &found, nil
}
