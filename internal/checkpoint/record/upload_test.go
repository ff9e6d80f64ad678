package record_test

import (
	"strings"
	"testing"

	"syncd/internal/checkpoint/record"
	"syncd/internal/transfer"
)

func FuzzUploadJSON(f *testing.F) {
	f.Add("a/b", `copy\a/b`, `"etag"`, "id", int64(1))
	f.Add("\xff", "\x00\n", "", "", int64(-1))
	f.Fuzz(func(t *testing.T, key, destination, etag, id string, size int64) {
		// ETags and IDs come from XML and headers, so they are valid UTF-8.
		in := record.Upload{Key: key, DestinationKey: destination, Source: transfer.Version{ETag: strings.ToValidUTF8(etag, ""), Size: size}, ID: strings.ToValidUTF8(id, "")}
		data, err := in.MarshalJSON()
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		var out record.Upload
		if err := out.UnmarshalJSON(data); err != nil {
			t.Fatalf("decode %s: %v", data, err)
		}
		if in != out {
			t.Errorf("got %+v, want %+v", out, in)
		}
	})
}
