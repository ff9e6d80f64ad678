package chunk

import (
	"encoding/binary"
	"fmt"
	"io"

	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go"
)

const (
	// magic is how long the mark at each end of a Parquet file is, and trailer what stands after
	// its footer: length and mark (Apache Parquet, "File format").
	magic   = 4
	trailer = magic + 4

	// usualFooter is how much of the end of a chunk is read first: the footer of half a million
	// entries.
	usualFooter = 64 << 10

	// maxJoined is how many bytes of small row groups are read together.
	maxJoined = 1 << 20
)

// openParquet opens a verified chunk. The index of pages is as long as the footer says. It is not
// needed: rows are sought by the first of a row group.
func openParquet(chunk store.Record) (*parquet.File, error) {
	size := chunk.Size()
	footer, err := readFooter(chunk, size)
	if err != nil {
		return nil, err
	}
	source := &footed{chunk: chunk, footer: footer, start: size - int64(len(footer))}
	file, err := parquet.OpenFile(source, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true), parquet.SkipMagicBytes(true))
	source.footer = nil // it was decoded
	return file, err
}

// footed is a chunk whose end is in memory, until it has been decoded.
type footed struct {
	chunk  io.ReaderAt
	footer []byte
	start  int64
}

func (f *footed) ReadAt(p []byte, offset int64) (int, error) {
	if at := offset - f.start; at >= 0 && at+int64(len(p)) <= int64(len(f.footer)) {
		return copy(p, f.footer[at:]), nil
	}
	return f.chunk.ReadAt(p, offset)
}

// readFooter reads the footer and what stands after it, and looks whether it and the lists in it
// can be as long as the file says they are: the Parquet reader takes as much memory, up to 4 GB for
// the one, and any amount for the others. The headers of pages, which are decoded as they are met,
// are not looked at.
func readFooter(chunk io.ReaderAt, size int64) ([]byte, error) {
	end, err := readEnd(chunk, size, min(size, usualFooter))
	if err != nil {
		return nil, err
	}
	if len(end) < trailer {
		return nil, fmt.Errorf("%d bytes", size)
	}
	length := int64(binary.LittleEndian.Uint32(end[len(end)-trailer:]))
	if length > size-trailer-magic {
		return nil, fmt.Errorf("a footer of %d bytes in a file of %d", length, size)
	}
	if whole := length + trailer; whole > int64(len(end)) {
		if end, err = readEnd(chunk, size, whole); err != nil {
			return nil, err
		}
	} else {
		end = end[int64(len(end))-whole:]
	}
	return end, checkThrift(end[:length])
}

func readEnd(chunk io.ReaderAt, size, length int64) ([]byte, error) {
	end := make([]byte, length)
	_, err := chunk.ReadAt(end, size-length)
	return end, err
}
