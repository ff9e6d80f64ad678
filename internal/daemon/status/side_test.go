package status_test

import (
	"encoding/json"
	"testing"

	"syncd/internal/daemon/status"
	"syncd/internal/transfer"
)

// TestSideOf compares the JSON form of a place with docs/status-page.md. The JSON form contains
// neither the role nor the requester-pays setting.
func TestSideOf(t *testing.T) {
	for _, tt := range []struct {
		place      transfer.Place
		json, text string
	}{
		{transfer.Place{Bucket: "b", Role: "reader", RequestPayer: true}, `{"bucket":"b"}`, "s3://b/"},
		{
			transfer.Place{Bucket: "b", Prefix: "p/", Region: "us-west-2", Account: "111111111111"}.At("https://minio.example:9000/"),
			`{"service":"minio.example:9000","bucket":"b","prefix":"p/","region":"us-west-2","account":"111111111111"}`, "s3://b/p/ at minio.example:9000",
		},
	} {
		side := status.SideOf(tt.place)
		if got, err := json.Marshal(side); err != nil || string(got) != tt.json {
			t.Errorf("got %s, %v, want %s", got, err, tt.json)
		}
		if got := side.String(); got != tt.text {
			t.Errorf("got %q, want %q", got, tt.text)
		}
	}
}
