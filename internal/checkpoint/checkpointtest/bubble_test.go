package checkpointtest_test

import (
	"testing"

	"github.com/parquet-go/parquet-go"

	"syncd/internal/checkpoint/checkpointtest"
)

// TestBubblesShareNoDecoder checks that chunks can be decoded in one bubble after another. If the
// bubbles shared a decoder, the runtime would end the process.
func TestBubblesShareNoDecoder(t *testing.T) {
	compressed, err := parquet.Zstd.Encode(nil, []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		checkpointtest.Bubble(t, func(t *testing.T) {
			if got, err := parquet.Zstd.Decode(nil, compressed); err != nil || string(got) != "text" {
				t.Errorf("got %q, %v, want the text", got, err)
			}
		})
	}
}
