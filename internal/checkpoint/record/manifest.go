package record

import (
	"encoding/json"
	"time"
)

// Manifest describes a committed generation: every copy that the ledger knows at the destination,
// and every object that was quarantined.
//
// A fence is a generation that repeats the previous one under the next number, so that a writer
// that unknowingly lost its lease finds the number taken. A fence has the fields of the generation
// that it repeats, except Generation, Base, Holder, Writer, Lease and the fields that only fences
// have. Its Pass is 0 if it repeats no generation.
type Manifest struct {
	Version    int    `json:"version"`
	Mapping    string `json:"mapping"`
	Generation int64  `json:"generation"`
	Base       int64  `json:"base"` // generation the pass started from, 0: none
	Pass       int64  `json:"pass"` // the pass that made it; equal to Generation except in a fence
	Holder     string `json:"holder"`
	Writer     string `json:"writer"` // distinguishes two ledgers of one holder
	Lease      int64  `json:"lease"`  // Lease.Number under which it was written
	Settings
	StartedAt        time.Time `json:"started_at"`
	CommittedAt      time.Time `json:"committed_at"`
	Fence            bool      `json:"fence,omitempty"`        // not made by a pass; see Repeats
	Repeats          []int64   `json:"repeats,omitempty"`      // in a fence: earlier generations with the same content, ascending, 0: none
	FencedAt         time.Time `json:"fenced_at,omitzero"`     // when the fence was written
	StartedOver      int64     `json:"started_over,omitempty"` // records up to this number are damaged and were left for operators to inspect
	Counts           Counts    `json:"counts"`
	Entries          int64     `json:"entries"`           // rows in Chunks
	Quarantined      int64     `json:"quarantined"`       // rows in QuarantineChunks
	Chunks           []Chunk   `json:"chunks"`            // ascending, not overlapping
	QuarantineChunks []Chunk   `json:"quarantine_chunks"` // ascending, not overlapping
	Uploads          []Upload  `json:"uploads,omitempty"` // of quarantined objects, for the next pass to resume; by key
	Claims           []Claim   `json:"claims,omitempty"`  // of unfinished passes under other settings, not settled by this pass
}

// Settings identify the settings of a pass. The ledger does not interpret either field.
type Settings struct {
	// Fingerprint identifies the settings. A pass resumes a saved pass with the same fingerprint,
	// and starts over otherwise.
	Fingerprint string `json:"fingerprint"`
	// Memo is what later passes must know about these settings, such as since when they have been
	// in force. It is set when a pass begins, and a resumed pass keeps it.
	Memo string `json:"memo,omitempty"`
}

// Counts counts how the slots of a pass were settled, including before it was resumed.
type Counts struct {
	Carried        int64 `json:"carried"`        // by Carry
	Recorded       int64 `json:"recorded"`       // by Record
	Quarantined    int64 `json:"quarantined"`    // by Quarantine or Hold
	Held           int64 `json:"held,omitempty"` // of those quarantined: by Hold
	AsideWithEntry int64 `json:"kept"`           // of those quarantined: the previous entry stays
	Dropped        int64 `json:"dropped"`        // by Drop
}

// Entries returns the number of rows in a ledger with these counts.
func (c Counts) Entries() int64 { return c.Carried + c.AsideWithEntry + c.Recorded }

// Chunk names a chunk and describes its content.
type Chunk struct {
	Name     string `json:"name"`
	FirstKey string `json:"first_key"`
	LastKey  string `json:"last_key"`
	Entries  int64  `json:"entries"` // rows
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"` // of the whole chunk, lower-case hex
}

// MarshalJSON encodes the keys so that bytes that are not valid UTF-8 survive.
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

// EntriesIn returns the total number of rows in chunks.
func EntriesIn(chunks []Chunk) (sum int64) {
	for _, c := range chunks {
		sum += c.Entries
	}
	return sum
}
