package syncer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"syncd/internal/checkpoint"
	"syncd/internal/plan"
)

// Place is one side of a mapping: where keys come from, or where copies go.
type Place struct {
	// Endpoint is the service, "" for AWS.
	Endpoint string `json:"endpoint,omitempty"`
	// Bucket is the bucket, and Prefix what its keys begin with.
	Bucket string `json:"bucket"`
	Prefix string `json:"prefix,omitempty"`
}

// Settings are what decides where copies lie and how. They are remembered with each generation, so that a pass knows which
// copies were made under others.
type Settings struct {
	Source       Place  `json:"source"`
	Destination  Place  `json:"destination"`
	KeyARN       string `json:"key_arn"`
	StorageClass string `json:"storage_class"`
}

// remembered is the fingerprint of a generation: the settings, and since which pass they are in force.
type remembered struct {
	Settings
	PlaceSince int64 `json:"place_since,omitempty"`
	ClassSince int64 `json:"class_since,omitempty"`
	// Replay is when the pass began when it is a replay, in nanoseconds since 1970: no other pass may go on with it, not even
	// another replay, which may have been asked for other objects.
	Replay int64 `json:"replay,omitempty"`
}

// replayed reports whether a fingerprint is that of a replay.
func replayed(fingerprint string) bool {
	var r remembered
	return json.Unmarshal([]byte(fingerprint), &r) == nil && r.Replay > 0
}

// remember returns what a pass of that number has to remember, after what the last generation did.
func (s Settings) remember(last string, pass int64) (remembered, error) {
	now := remembered{Settings: s}
	if last == "" {
		return now, nil
	}
	var before remembered
	if err := json.Unmarshal([]byte(last), &before); err != nil {
		return now, fmt.Errorf("read the settings of the last generation: %w", err)
	}
	now.PlaceSince, now.ClassSince = before.PlaceSince, before.ClassSince
	if !s.sameKeys(before.Settings) {
		now.PlaceSince = pass
	}
	if s.StorageClass != before.StorageClass {
		now.ClassSince = pass
	}
	return now, nil
}

// sameKeys reports whether both settings copy the same objects to the same keys. A source prefix that is narrowed or
// widened along with the destination's does: only the range of keys is another.
func (s Settings) sameKeys(o Settings) bool {
	if s.Source.Endpoint != o.Source.Endpoint || s.Source.Bucket != o.Source.Bucket ||
		s.Destination.Endpoint != o.Destination.Endpoint || s.Destination.Bucket != o.Destination.Bucket {
		return false
	}
	if rest, ok := strings.CutPrefix(s.Source.Prefix, o.Source.Prefix); ok {
		return s.Destination.Prefix == o.Destination.Prefix+rest
	}
	rest, ok := strings.CutPrefix(o.Source.Prefix, s.Source.Prefix)
	return ok && o.Destination.Prefix == s.Destination.Prefix+rest
}

// settle has the ledger remember the settings, and returns the rules of the next pass. A new key is refused unless it was
// asked for, because all objects are copied again for it.
func (p *pass) settle(ctx context.Context, ledger *checkpoint.Ledger) (plan.Rules, error) {
	var now remembered
	var err error
	var former string
	ledger.SetFingerprint(func(last string, pass int64) string {
		former = last
		if now, err = p.o.Settings.remember(last, pass); err != nil {
			return last
		}
		if p.replay != nil {
			now.Replay = p.start.UnixNano()
		}
		text, _ := json.Marshal(now) // strings and numbers always have a form
		return string(text)
	})
	if err != nil {
		return plan.Rules{}, err
	}
	rules := p.rulesUnder(now, former)
	if p.o.Rekey {
		return rules, nil
	}
	return rules, p.refuseNewKey(ctx, former, now.PlaceSince)
}

// rulesUnder returns the rules of a pass that remembers now, after a generation that remembered last.
func (p *pass) rulesUnder(now remembered, last string) plan.Rules {
	rules := p.o.Rules
	rules.Now, rules.Retry = p.o.Now(), p.replay
	rules.PlaceSince, rules.ClassSince = now.PlaceSince, now.ClassSince
	if rules.Retry == nil && p.newSettings(last) {
		rules.Retry = func(checkpoint.Quarantined) bool { return true } // what failed there may succeed here
	}
	return rules
}

// newSettings reports whether a generation was made under others.
func (s *Syncer) newSettings(fingerprint string) bool {
	var last remembered
	return fingerprint != "" && json.Unmarshal([]byte(fingerprint), &last) == nil && last.Settings != s.o.Settings
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

// refuseNewKey looks whether the last generation, by its fingerprint, was copied under another key. Only then are the entries
// counted.
func (s *Syncer) refuseNewKey(ctx context.Context, fingerprint string, placeSince int64) error {
	var last remembered
	if fingerprint == "" || json.Unmarshal([]byte(fingerprint), &last) != nil || last.KeyARN == s.o.Settings.KeyARN {
		return nil
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
