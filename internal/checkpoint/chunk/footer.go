package chunk

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// largestFooter bounds the memory for a footer. The footer of a chunk with a million rows has
// about 400 KB.
const largestFooter = 4 << 20

// openParquet reads and verifies the footer of a chunk. The row groups are read later, see
// rowGroups.
func openParquet(chunk store.Record, info record.Chunk) (*rowGroups, error) {
	end, err := readFooter(chunk, info)
	if err != nil {
		return nil, err
	}
	return decoded(info.Name, "has an invalid footer", func() (*rowGroups, error) {
		g := &rowGroups{info: info, chunk: chunk}
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), end[:len(end)-trailer], &g.meta); err != nil {
			return nil, err
		}
		return g, g.layOut()
	})
}

// readFooter reads the footer and the trailer, and verifies them. It also checks the lists in the
// footer, because the Parquet reader allocates the lengths that they declare: a process that can
// forge a chunk may be able to forge its manifest too.
func readFooter(chunk io.ReaderAt, info record.Chunk) ([]byte, error) {
	damaged := func(err error) error {
		return &store.CorruptError{Name: info.Name, Problem: "has an invalid footer", Err: err}
	}
	if info.Footer < int64(trailer) || info.Footer > min(info.Bytes, largestFooter) {
		return nil, damaged(fmt.Errorf("%d bytes in a file of %d", info.Footer, info.Bytes))
	}
	end := make([]byte, info.Footer)
	if n, err := chunk.ReadAt(end, info.Bytes-info.Footer); n < len(end) {
		return nil, fmt.Errorf("read footer of %s: %w", info.Name, err)
	}
	if sum := sha256.Sum256(end); hex.EncodeToString(sum[:]) != info.FooterSHA256 {
		return nil, damaged(errors.New("it does not match its checksum"))
	}
	footer, err := footerIn(end)
	if err == nil && len(footer) != len(end)-trailer {
		err = fmt.Errorf("%d bytes, not %d", len(footer), len(end)-trailer)
	}
	if err == nil {
		err = checkThrift(footer)
	}
	if err != nil {
		return nil, damaged(err)
	}
	return end, nil
}
