package record

import (
	"cmp"
	"encoding/json"
	"time"

	"syncd/internal/transfer"
)

// Upload is a multipart upload in progress at the destination, with everything that a later process
// needs to resume it.
type Upload struct {
	Key            string           `json:"key"`                 // key at the source, as S3 lists it
	Bucket         string           `json:"bucket"`              // destination bucket
	DestinationKey string           `json:"destination_key"`     // key at the destination
	ID             string           `json:"id"`                  // upload ID that the destination returned
	Source         transfer.Version `json:"source"`              // version that is being copied
	PartSize       int64            `json:"part_size"`           // bytes of every part but the last
	Settings       string           `json:"settings,omitempty"`  // other settings that affect the copy, in the copier's encoding
	TagsLate       bool             `json:"tags_late,omitempty"` // whether the tags must be set after the copy
	Relay          bool             `json:"relay,omitempty"`     // whether the content is streamed through this process
	BeganAt        time.Time        `json:"began_at"`            // when the destination responded, UTC with microseconds
	Left           bool             `json:"left,omitempty"`      // the upload was begun under another checkpoint.Options.Fingerprint: it must be aborted, not resumed
	Kept           bool             `json:"kept,omitempty"`      // quarantined object: a pass under any fingerprint that would begin the same upload resumes this one
}

// MarshalJSON encodes the keys so that bytes that are not valid UTF-8 survive.
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

// CompareUploads orders uploads by key, then by start time.
func CompareUploads(a, b Upload) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), a.BeganAt.Compare(b.BeganAt), cmp.Compare(a.ID, b.ID))
}
