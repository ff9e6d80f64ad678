package syncer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// Place is one side of a mapping: where keys come from, or where copies go.
type Place struct {
	// Endpoint is the service, "" for AWS.
	Endpoint string `json:"endpoint,omitempty"`
	// Bucket is the bucket, and Prefix what its keys begin with.
	Bucket string `json:"bucket"`
	Prefix string `json:"prefix,omitempty"`
}

// Settings are what decides where copies go and how. Each generation has them in it, so that a pass knows which copies were
// made under others.
type Settings struct {
	Source       Place  `json:"source"`
	Destination  Place  `json:"destination"`
	KeyARN       string `json:"key_arn"`
	StorageClass string `json:"storage_class"`
}

// identity is the fingerprint of a pass: passes of the same identity resume each other.
type identity struct {
	Settings
	// Replay is when the pass began when it is a replay, in nanoseconds since 1970: no other pass may resume it, not even
	// another replay, which may have been asked for other objects.
	Replay int64 `json:"replay,omitempty"`
}

// formerKeys is how many former keys are remembered.
const formerKeys = 16

// history is the memo of a pass: since which pass its settings are in force.
type history struct {
	PlaceSince int64 `json:"place_since,omitempty"`
	ClassSince int64 `json:"class_since,omitempty"`
	// TargetSince is the first pass that copied each key to where it is copied today, from wherever.
	TargetSince int64 `json:"target_since,omitempty"`
	// FormerKeys are the KMS keys that were configured before, the last one last.
	FormerKeys []string `json:"former_keys,omitempty"`
}

// text is a fingerprint or a memo. Strings and numbers always have a form.
func text(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// identify reads a fingerprint; ok is false for one that is none of this program's. Older ones spell services as they were configured.
func (o *Options) identify(fingerprint string) (id identity, ok bool) {
	id, ok = identify(fingerprint)
	if o.ServiceOf != nil {
		id.Source.Endpoint, id.Destination.Endpoint = o.ServiceOf(id.Source.Endpoint), o.ServiceOf(id.Destination.Endpoint)
	}
	return id, ok
}

func identify(fingerprint string) (id identity, ok bool) {
	return id, fingerprint != "" && json.Unmarshal([]byte(fingerprint), &id) == nil
}

// replayed reports whether a fingerprint is that of a replay.
func replayed(fingerprint string) bool {
	id, ok := identify(fingerprint)
	return ok && id.Replay > 0
}

// recall reads a memo.
func recall(memo string) (h history, err error) {
	if memo == "" {
		return h, nil
	}
	if err := json.Unmarshal([]byte(memo), &h); err != nil {
		return h, fmt.Errorf("read since when the settings are in force: %w", err)
	}
	return h, nil
}

// formerly is what the last generation was made under.
type formerly struct {
	Settings
	history
	isKnown bool // there is one
}

func (o *Options) formerlyOf(last record.Settings) (f formerly, err error) {
	if last.Fingerprint == "" {
		return f, nil
	}
	id, ok := o.identify(last.Fingerprint)
	if !ok {
		return f, errors.New("read the settings of the last generation: they are in no form that this version knows")
	}
	f.Settings, f.isKnown = id.Settings, true
	f.history, err = recall(cmp.Or(last.Memo, last.Fingerprint)) // which held it before there were memos
	return f, err
}

// after returns since when the settings are in force for a pass of that number, which follows a generation of the last ones.
func (s Settings) after(last formerly, pass int64) history {
	h := last.history
	if last.isKnown && !s.sameKeys(last.Settings) {
		h.PlaceSince = pass
	}
	if last.isKnown && !s.sameTargets(last.Settings) {
		h.TargetSince = pass
	}
	if last.isKnown && s.StorageClass != last.StorageClass {
		h.ClassSince = pass
	}
	isNow := func(key string) bool { return key == s.KeyARN || last.isKnown && key == last.KeyARN }
	h.FormerKeys = slices.DeleteFunc(slices.Clone(h.FormerKeys), isNow)
	if last.isKnown && last.KeyARN != s.KeyARN {
		h.FormerKeys = append(h.FormerKeys, last.KeyARN)
	}
	h.FormerKeys = h.FormerKeys[max(0, len(h.FormerKeys)-formerKeys):]
	return h
}

// sameKeys reports whether both settings copy the same objects to the same keys. A source prefix that is narrowed or
// widened along with the destination's does: only the range of keys is another.
func (s Settings) sameKeys(o Settings) bool {
	return s.Source.Endpoint == o.Source.Endpoint && s.Source.Bucket == o.Source.Bucket && s.sameTargets(o)
}

// sameTargets reports whether both settings copy a key at the source to the same place.
func (s Settings) sameTargets(o Settings) bool {
	if s.Destination.Endpoint != o.Destination.Endpoint || s.Destination.Bucket != o.Destination.Bucket {
		return false
	}
	if rest, ok := strings.CutPrefix(s.Source.Prefix, o.Source.Prefix); ok {
		return s.Destination.Prefix == o.Destination.Prefix+rest
	}
	rest, ok := strings.CutPrefix(o.Source.Prefix, s.Source.Prefix)
	return ok && o.Destination.Prefix == s.Destination.Prefix+rest
}

// begin has the ledger begin a pass under the settings, or resume one, and returns the rules of it. A new key is refused
// unless it was asked for, because all objects are copied again for it.
func (p *pass) begin(ctx context.Context, ledger *checkpoint.Ledger) (err error) {
	id := identity{Settings: p.o.Settings}
	if p.replay != nil {
		id.Replay = p.start.UnixNano()
	}
	var since history
	ledger.SetSettings(func(last record.Settings, pass int64) record.Settings {
		p.former, err = p.o.formerlyOf(last)
		since = p.o.Settings.after(p.former, pass)
		return record.Settings{Fingerprint: text(id), Memo: text(since)}
	})
	switch {
	case err != nil:
		return err
	case p.replay != nil && since.PlaceSince > p.former.PlaceSince:
		return ErrMoved
	case !p.o.Rekey && !p.order.Rekey:
		if err := p.refuseNewKey(ctx, p.former, since.PlaceSince); err != nil {
			return err
		}
	}
	if p.ledger, err = ledger.Begin(ctx); err != nil {
		return err
	}
	return p.settleRules(p.ledger, ledger.Manifest().Pass+1)
}

// ErrMoved says that a replay was asked for after the mapping's source or destination has changed.
var ErrMoved = errors.New("the mapping copies from or to another place than in its last pass")

// settleRules finds the rules of the pass. Entries of passes from that one on are its own.
func (p *pass) settleRules(k known, ownSince int64) error {
	since, err := recall(k.Memo())
	p.rules = p.o.Rules
	p.rules.Now, p.rules.Retry, p.rules.OwnSince, p.rules.After = p.o.Now(), p.replay, ownSince, k.Mark()
	p.rules.TargetSince, p.rules.FormerKeys = since.TargetSince, since.FormerKeys
	p.rules.PlaceSince, p.rules.ClassSince = since.PlaceSince, since.ClassSince
	p.rules.Claimed = p.o.claimed(k.Claims())
	if p.rules.Retry == nil && p.former.isKnown && p.former.Settings != p.o.Settings {
		p.rules.Retry = func(record.Quarantined) bool { return true } // what failed there may succeed here
	}
	return err
}

// hasMoved reports whether this is the pass that copies from or to another place for the first time.
func (p *pass) hasMoved() bool { return p.rules.PlaceSince >= p.rules.OwnSince }

// inherit tells the actions which copies are the mapping's own in the place where it writes from now on: those that it made
// there under its former settings.
func (p *pass) inherit(ctx context.Context, k known, actions plan.Actions) plan.Actions {
	from, to := p.former.Destination, p.o.Settings.Destination
	if !p.hasMoved() || !p.former.isKnown || from.Endpoint != to.Endpoint || from.Bucket != to.Bucket {
		return actions
	}
	return plan.Inherit(actions, func(yield func(record.Entry, error) bool) {
		for e, err := range k.Base(ctx) {
			if err != nil {
				yield(e, err)
				return
			}
			if e, ok := p.rekeyed(e); ok && e.Key > k.Mark() && !yield(e, nil) {
				return
			}
		}
	})
}

// rekeyed returns a copy that was made under the former settings as an entry under the key at the source that goes to its place
// today. Of which version of that it is nobody knows. Ok is false where no key does.
func (p *pass) rekeyed(e record.Entry) (today record.Entry, ok bool) {
	inside, wasThere := strings.CutPrefix(e.Key, p.former.Source.Prefix)
	inside, isThere := strings.CutPrefix(p.former.Destination.Prefix+inside, p.o.Settings.Destination.Prefix)
	if !wasThere || !isThere || e.Pass < p.former.PlaceSince {
		return e, false
	}
	e.Key, e.Source = p.o.Settings.Source.Prefix+inside, transfer.Version{}
	return e, true
}

// RekeyError says that the configured KMS key is another than that of the copies, and what a pass would cost for it.
type RekeyError struct {
	// From is the key of the copies, To the configured one.
	From, To string
	// Objects is the number of copies under another key, Bytes their size.
	Objects, Bytes int64
}

// Error tells the change and its cost.
func (e *RekeyError) Error() string {
	each := plan.NewQuoter(plan.Terms{}).Request("CopyObject")
	return fmt.Sprintf("kms_key changed from %s to %s: a pass would copy %d objects (%d bytes) again, at about $%.2f for requests to S3 and KMS",
		e.From, e.To, e.Objects, e.Bytes, float64(e.Objects)*each)
}

// refuseNewKey looks whether the last generation was copied under another key. Only then are the entries counted. A pass under the new
// key that was interrupted was allowed when it began, and so is what resumes it.
func (s *Syncer) refuseNewKey(ctx context.Context, last formerly, placeSince int64) error {
	if !last.isKnown || last.KeyARN == s.o.Settings.KeyARN {
		return nil
	}
	if isAllowed, err := s.resumesToday(ctx); isAllowed || err != nil {
		return err
	}
	refusal := &RekeyError{From: last.KeyARN, To: s.o.Settings.KeyARN}
	for entry, err := range checkpoint.Entries(ctx, s.o.Store, s.o.Mapping) {
		if err != nil {
			return fmt.Errorf("count copies under the former key: %w", err)
		}
		if entry.Pass >= placeSince && !plan.SameKey(entry.KeyARN, s.o.Settings.KeyARN) {
			refusal.Objects++
			refusal.Bytes += entry.Source.Size
		}
	}
	if refusal.Objects == 0 {
		return nil
	}
	return refusal
}

// resumesToday reports whether a pass over the source was interrupted under the settings of today.
func (s *Syncer) resumesToday(ctx context.Context) (bool, error) {
	progress, ok, err := record.Unfinished(ctx, s.o.Store, s.o.Mapping)
	if err != nil {
		return false, fmt.Errorf("look for an unfinished pass: %w", err)
	}
	id, isKnown := s.o.identify(progress.Fingerprint)
	return ok && isKnown && id.Replay == 0 && id.Settings == s.o.Settings, nil
}
