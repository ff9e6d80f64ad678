package chunk

import (
	"fmt"
	"io"

	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// Encoders compress the chunks of all ledgers that share this value. Each concurrent compression
// uses one encoder; unused encoders are freed.
type Encoders struct{ codec zstd.Codec }

// NewEncoders returns Encoders for the ledgers of a process.
func NewEncoders() *Encoders {
	// At this level the encoder's tables are small, which saves time when a save writes few rows,
	// and chunks are only slightly larger than at a higher level.
	return &Encoders{zstd.Codec{Level: zstd.SpeedFastest}}
}

// newWriter returns a writer for one chunk. The writer must not be reused: after Reset, parquet-go
// 0.32 omits the column names from the footer, and other readers cannot read a chunk without column
// names.
func newWriter[R Row](e *Encoders, out io.Writer) *parquet.GenericWriter[R] {
	return parquet.NewGenericWriter[R](out,
		parquet.Compression(&e.codec),
		parquet.DataPageVersion(2),
		parquet.PageBufferSize(pageBytes),
		parquet.WriteBufferSize(0), // so that out receives a row group before Flush returns
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("key"))),
		parquet.KeyValueMetadata("syncd.format", fmt.Sprint(store.FormatVersion)),
	)
}
