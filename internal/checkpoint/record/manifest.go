package record

import (
	"encoding/json"
	"time"
)

// Manifest describes a committed generation: everything that is known to lie at the destination,
// and everything that was set aside.
//
// A fence is a generation that repeats the one before under the next number, so that a writer who
// lost its lease and does not know it finds the number taken. But for Generation, Base, Holder,
// Writer, Lease and what only fences have, it says what the generation it repeats said; its Pass is
// 0 when there was none.
type Manifest struct {
	Version    int    `json:"version"`
	Mapping    string `json:"mapping"`
	Generation int64  `json:"generation"`
	Base       int64  `json:"base"` // generation the pass started from, 0: none
	Pass       int64  `json:"pass"` // the pass that made it; the same number, but in a fence
	Holder     string `json:"holder"`
	Writer     string `json:"writer"` // tells two ledgers of one holder apart
	Lease      int64  `json:"lease"`  // Lease.Number under which it was written
	Settings
	StartedAt        time.Time `json:"started_at"`
	CommittedAt      time.Time `json:"committed_at"`
	Fence            bool      `json:"fence,omitempty"`        // no pass made it; see Repeats
	Repeats          []int64   `json:"repeats,omitempty"`      // of a fence: generations of the same content, ascending, 0: none
	FencedAt         time.Time `json:"fenced_at,omitzero"`     // of a fence
	StartedOver      int64     `json:"started_over,omitempty"` // records up to this number are damaged, and left for people
	Counts           Counts    `json:"counts"`
	Entries          int64     `json:"entries"`           // rows in Chunks
	Quarantined      int64     `json:"quarantined"`       // rows in QuarantineChunks
	Chunks           []Chunk   `json:"chunks"`            // ascending, not overlapping
	QuarantineChunks []Chunk   `json:"quarantine_chunks"` // ascending, not overlapping
	Uploads          []Upload  `json:"uploads,omitempty"` // of objects that were set aside, for the next pass to resume; by key
	Claims           []Claim   `json:"claims,omitempty"`  // of unfinished passes under other settings, which this one has not settled
}

// Settings are what a pass is made under. The ledger reads neither text.
type Settings struct {
	// Fingerprint identifies the settings: a pass resumes one that was saved under the same, and
	// begins again otherwise.
	Fingerprint string `json:"fingerprint"`
	// Memo is what the settings need to know of the passes before, such as since when they are in
	// force. It is decided when a pass begins, and stays with it when it is resumed, under whatever
	// number.
	Memo string `json:"memo,omitempty"`
}

// Counts tells how the slots of a pass were settled, over all its resumptions.
type Counts struct {
	Carried        int64 `json:"carried"`        // by Carry
	Recorded       int64 `json:"recorded"`       // by Record
	Quarantined    int64 `json:"quarantined"`    // by Quarantine or Hold
	Held           int64 `json:"held,omitempty"` // of those quarantined: by Hold
	AsideWithEntry int64 `json:"kept"`           // of those quarantined: the previous entry stays
	Dropped        int64 `json:"dropped"`        // by Drop
}

// Entries returns how many rows a ledger with these counts has.
func (c Counts) Entries() int64 { return c.Carried + c.AsideWithEntry + c.Recorded }

// Chunk names a chunk and says what must be found in it.
type Chunk struct {
	Name     string `json:"name"`
	FirstKey string `json:"first_key"`
	LastKey  string `json:"last_key"`
	Entries  int64  `json:"entries"` // rows
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"` // of the whole chunk, lower-case hex
}

// MarshalJSON writes the keys in a form that carries bytes that are not UTF-8.
func (c Chunk) MarshalJSON() ([]byte, error) {
	type plain Chunk
	return json.Marshal(struct {
		plain
		FirstKey keyText `json:"first_key"`
		LastKey  keyText `json:"last_key"`
	}{plain(c), keyText(c.FirstKey), keyText(c.LastKey)})
}

// UnmarshalJSON reverses MarshalJSON.
func (c *Chunk) UnmarshalJSON(data []byte) error {
	type plain Chunk
	var in struct {
		plain
		FirstKey keyText `json:"first_key"`
		LastKey  keyText `json:"last_key"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*c = Chunk(in.plain)
	c.FirstKey, c.LastKey = string(in.FirstKey), string(in.LastKey)
	return nil
}

// EntriesIn returns how many rows chunks have together.
func EntriesIn(chunks []Chunk) (sum int64) {
	for _, c := range chunks {
		sum += c.Entries
	}
	return sum
}
