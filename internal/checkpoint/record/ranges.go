package record

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// Range is a half-open interval of keys: the keys after After, up to and including Until. The zero
// Range contains all keys.
type Range struct {
	After string `json:"after"` // exclusive, "" from the first key
	Until string `json:"until"` // inclusive, "" to the last key
}

// Contains reports whether key is in the range.
func (r Range) Contains(key string) bool {
	return key > r.After && (r.Until == "" || key <= r.Until)
}

// includes reports whether every key of o is in r.
func (r Range) includes(o Range) bool {
	return r.After <= o.After && (r.Until == "" || o.Until != "" && o.Until <= r.Until)
}

// Overlap returns the keys that are in both ranges; ok is false if there are none.
func (r Range) Overlap(o Range) (both Range, ok bool) {
	both = Range{After: max(r.After, o.After), Until: r.Until}
	if both.Until == "" || o.Until != "" && o.Until < both.Until {
		both.Until = o.Until
	}
	return both, both.Until == "" || both.After < both.Until
}

// Span returns the smallest range that contains both ranges.
func (r Range) Span(o Range) Range {
	r.After = min(r.After, o.After)
	if r.Until != "" && (o.Until == "" || o.Until > r.Until) {
		r.Until = o.Until
	}
	return r
}

// MarshalJSON encodes the range. Keys are escaped, so that bytes that are not valid UTF-8 are
// preserved.
func (r Range) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]keyText{"after": keyText(r.After), "until": keyText(r.Until)})
}

// UnmarshalJSON reverses MarshalJSON.
func (r *Range) UnmarshalJSON(data []byte) error {
	var in struct{ After, Until keyText }
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	r.After, r.Until = string(in.After), string(in.Until)
	return nil
}

// Ranges is a set of keys: ranges in ascending order that neither overlap nor touch. The zero
// Ranges is empty. Its values are not changed; Add returns a new set.
type Ranges []Range

// Add returns the set with the keys of another range. It joins ranges that overlap or touch.
func (s Ranges) Add(r Range) Ranges {
	sum := make(Ranges, 0, len(s)+1)
	for _, o := range s {
		switch {
		case o.Until != "" && o.Until < r.After, r.Until != "" && r.Until < o.After:
			sum = append(sum, o)
		default:
			r = r.Span(o)
		}
	}
	at, _ := slices.BinarySearchFunc(sum, r, func(a, b Range) int { return cmp.Compare(a.After, b.After) })
	return slices.Insert(sum, at, r)
}

// Gaps returns the ranges of the keys that are not in the set, in ascending order.
func (s Ranges) Gaps() (gaps []Range) {
	after := ""
	for _, r := range s {
		if r.After > after {
			gaps = append(gaps, Range{After: after, Until: r.After})
		}
		if after = r.Until; after == "" {
			return gaps
		}
	}
	return append(gaps, Range{After: after})
}

// IsAll reports whether the set contains every key.
func (s Ranges) IsAll() bool { return len(s) == 1 && s[0] == Range{} }

// Contains reports whether key is in the set.
func (s Ranges) Contains(key string) bool {
	return slices.ContainsFunc(s, func(r Range) bool { return r.Contains(key) })
}

// Includes reports whether every key of r is in the set.
func (s Ranges) Includes(r Range) bool {
	return slices.ContainsFunc(s, func(o Range) bool { return o.includes(r) })
}

// check returns an error unless the ranges are in ascending order and neither overlap nor touch.
func (s Ranges) check() error {
	for i, r := range s {
		if r.Until != "" && r.Until <= r.After || i > 0 && (s[i-1].Until == "" || s[i-1].Until >= r.After) {
			return fmt.Errorf("range %d is (%q, %q], which is empty or does not follow the previous range", i, r.After, r.Until)
		}
	}
	return nil
}
