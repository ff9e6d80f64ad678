package checkpointtest

import (
	"testing"
	"testing/synctest"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// Bubble runs a test that reads chunks in a bubble of [synctest.Test]. The Parquet library keeps
// used decoders in a global pool. Decoders contain channels, which must not be used in another
// bubble, so every bubble begins and ends with an empty pool. Tests that run in parallel with this
// test must not read chunks.
func Bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	emptyDecoders()
	defer emptyDecoders()
	synctest.Test(t, test)
}

func emptyDecoders() { parquet.Zstd = zstd.Codec{Level: zstd.DefaultLevel} }
