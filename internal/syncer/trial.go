package syncer

import (
	"sync"

	"syncd/internal/awserr"
	"syncd/internal/copier"
	"syncd/internal/listing"
)

// trial is what became of an object that was copied out of turn. The walk takes the copy over when it gets there.
type trial struct {
	version listing.Object
	result  copier.Result
	ours    copier.Ours
	err     error
	made    bool
	isBegun bool // it may be read, and copied in parts, of which none was made
}

// isAllowed reports whether the object was not refused, whatever else became of it but for what passes by itself.
func (t trial) isAllowed() bool {
	class := awserr.Classify(t.err)
	showsNothing := class.Passes() || class == awserr.Gone || class == awserr.Canceled
	return t.made && !showsNothing && !t.isRefused()
}

func (t trial) isRefused() bool { return t.made && t.err != nil && isShared(copier.Reason(t.err)) }

// trials are kept until the walk gets to their keys.
type trials struct {
	mu    sync.Mutex
	byKey map[string]trial
}

func (t *trials) keep(key string, made trial) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byKey == nil {
		t.byKey = map[string]trial{}
	}
	t.byKey[key] = made
}

func (t *trials) take(key string) (made trial, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	made, ok = t.byKey[key]
	delete(t.byKey, key)
	return made, ok
}
