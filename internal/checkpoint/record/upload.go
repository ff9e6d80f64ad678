package record

import (
	"cmp"
	"encoding/json"
	"time"

	"syncd/internal/transfer"
)

// Upload is a multipart upload in progress at the destination, as far as a later process must know
// it to resume it.
type Upload struct {
	Key            string           `json:"key"`                 // key at the source, as S3 lists it
	Bucket         string           `json:"bucket"`              // destination bucket
	DestinationKey string           `json:"destination_key"`     // key at the destination
	ID             string           `json:"id"`                  // upload id that the destination answered
	Source         transfer.Version `json:"source"`              // version that is being copied
	PartSize       int64            `json:"part_size"`           // bytes of every part but the last
	Settings       string           `json:"settings,omitempty"`  // what else decides how the copy is made, in the copier's words
	TagsLate       bool             `json:"tags_late,omitempty"` // whether the tags are to be set once the copy is there
	Relay          bool             `json:"relay,omitempty"`     // whether the content passes through this process
	BeganAt        time.Time        `json:"began_at"`            // when the destination answered, UTC to the microsecond
	Left           bool             `json:"left,omitempty"`      // begun under another checkpoint.Options.Fingerprint: to be aborted, never resumed
	Kept           bool             `json:"kept,omitempty"`      // its object was set aside: a pass resumes it if it would begin the same, under whatever fingerprint
}

// MarshalJSON writes the keys in a form that carries bytes that are not UTF-8.
func (u Upload) MarshalJSON() ([]byte, error) {
	type plain Upload
	return json.Marshal(struct {
		plain
		Key            keyText `json:"key"`
		DestinationKey keyText `json:"destination_key"`
	}{plain(u), keyText(u.Key), keyText(u.DestinationKey)})
}

// UnmarshalJSON reverses MarshalJSON.
func (u *Upload) UnmarshalJSON(data []byte) error {
	type plain Upload
	var in struct {
		plain
		Key            keyText `json:"key"`
		DestinationKey keyText `json:"destination_key"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*u = Upload(in.plain)
	u.Key, u.DestinationKey = string(in.Key), string(in.DestinationKey)
	return nil
}

// CompareUploads orders uploads by key, then by when they began.
func CompareUploads(a, b Upload) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), a.BeganAt.Compare(b.BeganAt), cmp.Compare(a.ID, b.ID))
}
