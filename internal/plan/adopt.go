package plan

import (
	"iter"

	"syncd/internal/listing"
)

// Destination is how Beside looks at the destination.
type Destination struct {
	// List lists the destination from behind a key, ascending.
	List func(after string) iter.Seq2[listing.Object, error]
	// KeyAt gives the destination's key of a source key; it must keep the order of keys, as a change of prefix does.
	KeyAt func(sourceKey string) (key string, err error)
	// Unknown says that the ledger knows nothing of what the destination holds, so that all is looked for; else only what
	// was claimed is.
	Unknown bool
	// Hidden reports whether an error says that the destination may not be listed: then nothing is looked for any more. Any
	// other error ends the plan.
	Hidden func(error) bool
}

// Beside looks for what is to be copied in a listing of the destination, where the ledger does not say what it holds. The
// listing begins where it is needed first.
func Beside(actions Actions, d Destination) Actions {
	return func(yield func(Action, error) bool) {
		n := neighbor{d: d}
		defer n.close()
		for a, err := range actions {
			if err == nil {
				a, err = n.look(a)
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// neighbor walks the destination's side, one object ahead, from where it is asked first.
type neighbor struct {
	d      Destination
	last   string // the destination's key of the last action
	next   func() (listing.Object, error, bool)
	stop   func()
	hidden bool
	object listing.Object
	err    error
	more   bool
}

// wants reports whether the destination must be looked at before the action is carried out.
func (n *neighbor) wants(a Action) bool {
	return a.Kind == Copy && !n.hidden && (n.d.Unknown && a.Previous == nil || !a.Claimed.Since.IsZero())
}

// look returns the action with what the destination holds.
func (n *neighbor) look(a Action) (Action, error) {
	key, err := n.d.KeyAt(a.Object.Key)
	if err != nil {
		return a, nil // a key that cannot exist there is not there; the copy will say so
	}
	defer func() { n.last = key }()
	if !n.wants(a) {
		return a, nil
	}
	if n.next == nil {
		n.next, n.stop = iter.Pull2(n.d.List(n.last))
		n.advance()
	}
	for n.more && n.err == nil && n.object.Key < key {
		n.advance()
	}
	if n.more && n.err != nil {
		n.hidden = n.d.Hidden(n.err)
		if !n.hidden {
			return a, n.err
		}
		return a, nil
	}
	a.Looked = true
	if n.more && n.object.Key == key {
		found := n.object
		a.Present = &found
	}
	return a, nil
}

func (n *neighbor) advance() { n.object, n.err, n.more = n.next() }

func (n *neighbor) close() {
	if n.stop != nil {
		n.stop()
	}
}
