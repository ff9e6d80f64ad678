package record

import (
	"encoding/json"
	"time"
)

// Manifest describes a committed generation: every copy at the destination that the ledger has
// recorded, and every quarantined object.
//
// A fence is a generation that repeats the previous one under the next number, so that a writer
// that unknowingly lost its lease finds the number taken. A fence has the same field values as the
// generation that it repeats, except in Generation, Base, Holder, Writer, Lease and the fields that
// only fences have. If there was no generation to repeat, Pass is 0.
type Manifest struct {
	Version    int    `json:"version"`
	Mapping    string `json:"mapping"`
	Generation int64  `json:"generation"`
	Base       int64  `json:"base"` // generation that the pass started from, 0 for none
	Pass       int64  `json:"pass"` // the pass that committed the content; equal to Generation except in a fence
	Holder     string `json:"holder"`
	Writer     string `json:"writer"` // nonce that distinguishes ledgers that the same holder opened
	Lease      int64  `json:"lease"`  // number of the lease under which the manifest was written, see store.Lease
	Settings
	StartedAt      time.Time `json:"started_at"`
	CommittedAt    time.Time `json:"committed_at"`
	Fence          bool      `json:"fence,omitempty"`        // the manifest is a fence, not made by a pass; see Repeats
	Repeats        []int64   `json:"repeats,omitempty"`      // in a fence: earlier generations with the same content, ascending; 0 stands for the state before the first generation
	FencedAt       time.Time `json:"fenced_at,omitzero"`     // when the fence was written
	StartedOver    int64     `json:"started_over,omitempty"` // records up to this number are damaged and were kept for operators to inspect
	Counts         Counts    `json:"counts"`
	Entries        int64     `json:"entries"`           // keys that have an entry
	Quarantined    int64     `json:"quarantined"`       // keys in quarantine
	Runs           []Run     `json:"runs"`              // rows of entries, oldest first
	QuarantineRuns []Run     `json:"quarantine_runs"`   // rows of quarantined objects, oldest first
	Uploads        []Upload  `json:"uploads,omitempty"` // uploads of quarantined objects, for the next pass to resume; ascending by key
	Claims         []Claim   `json:"claims,omitempty"`  // claims of unfinished passes under other settings that this pass has not settled
}

// Settings identify the settings of a pass. The ledger does not interpret either field.
type Settings struct {
	// Fingerprint identifies the settings. A pass resumes an interrupted pass with the same
	// fingerprint, and starts from the beginning otherwise.
	Fingerprint string `json:"fingerprint"`
	// Memo contains information for later passes about these settings, such as the pass since which
	// they have been in force. It is set when a pass begins; a resumed pass keeps its memo.
	Memo string `json:"memo,omitempty"`
}

// Counts has the number of slots that a pass settled in each way, before and after a resume.
type Counts struct {
	Carried        int64 `json:"carried"`           // by Carry
	Recorded       int64 `json:"recorded"`          // by Record
	Quarantined    int64 `json:"quarantined"`       // by Quarantine or Hold
	Held           int64 `json:"held,omitempty"`    // part of Quarantined: settled by Hold
	AsideWithEntry int64 `json:"kept"`              // part of Quarantined: the previous entry stays in the ledger
	Dropped        int64 `json:"dropped"`           // by Drop
	Deleted        int64 `json:"deleted,omitempty"` // part of Dropped: removed by Remove
	Gone           int64 `json:"gone,omitempty"`    // of all slots: the source did not list their keys
}

// Listed returns the number of settled keys that the source listed.
func (c Counts) Listed() int64 {
	return c.Carried + c.Recorded + c.Quarantined + c.Dropped - c.Gone
}

// Entries returns the number of entries in a generation with these counts.
func (c Counts) Entries() int64 { return c.Carried + c.AsideWithEntry + c.Recorded }

// Chunk names a chunk and describes its content.
type Chunk struct {
	Name     string `json:"name"`
	FirstKey string `json:"first_key"`
	LastKey  string `json:"last_key"`
	Entries  int64  `json:"entries"` // rows
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"` // of the whole chunk, lower-case hex
	// Footer is the length in bytes of the end of the chunk that has the checksums of the row
	// groups, and FooterSHA256 the checksum of that end, lower-case hex.
	Footer       int64  `json:"footer"`
	FooterSHA256 string `json:"footer_sha256"`
}

// Run is a sorted sequence of rows in one or more chunks. A key has at most one row in a run. If
// several runs have a row for a key, the row of the newest run counts. A row can state that the key
// was removed; the oldest run of a generation has no such rows.
type Run struct {
	Chunks []Chunk `json:"chunks"` // ascending, not overlapping
}

// Rows returns the number of rows in the run.
func (r Run) Rows() (sum int64) {
	for _, c := range r.Chunks {
		sum += c.Entries
	}
	return sum
}

// ChunksOf returns the chunks of all runs.
func ChunksOf(lists ...[]Run) (chunks []Chunk) {
	for _, runs := range lists {
		for _, r := range runs {
			chunks = append(chunks, r.Chunks...)
		}
	}
	return chunks
}

// MarshalJSON encodes the chunk. Keys are escaped, so that bytes that are not valid UTF-8 are
// preserved.
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
