package chunk

import (
	"fmt"
	"io"

	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// Encoders compress the chunks of all ledgers that share them. There are as many as compress at the
// same moment, and those that nobody uses are freed.
type Encoders struct{ codec zstd.Codec }

// NewEncoders returns Encoders for the ledgers of a process.
func NewEncoders() *Encoders {
	// The encoder's tables are small at this level, which tells when a save writes few rows; the
	// chunks are little larger.
	return &Encoders{zstd.Codec{Level: zstd.SpeedFastest}}
}

// newWriter returns a writer of one chunk. It is not used again: after Reset, parquet-go 0.32
// leaves the names of the columns out of the footer, without which others cannot read the chunk.
func newWriter[R Row](e *Encoders, out io.Writer) *parquet.GenericWriter[R] {
	return parquet.NewGenericWriter[R](out,
		parquet.Compression(&e.codec),
		parquet.MaxRowsPerRowGroup(rowsPerGroup),
		parquet.PageBufferSize(pageBytes),
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("key"))),
		parquet.KeyValueMetadata("syncd.format", fmt.Sprint(store.FormatVersion)),
	)
}
