package chunk

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"syncd/internal/checkpoint/record"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// magicText is at each end of a Parquet file. A trailer has the length of the footer, in four
	// bytes, and magicText (Apache Parquet, "File format").
	magicText = "PAR1"
	trailer   = 4 + len(magicText)
)

// sumsKey is the key of the checksums of the row groups in the metadata of a chunk: the SHA-256 of
// each row group, one after the other, in base64. The bytes of a row group begin where the previous
// row group ends, and those of the first row group with the first byte of the file.
const sumsKey = "syncd.row_groups"

// sealer passes on the row groups of a new chunk, and adds their checksums to the footer. It holds
// one compressed row group in memory.
//
// The Parquet writer always writes a page index after the last row group. The sealer omits it,
// because no checksum would cover it. It also omits the statistics of all columns but the key, so
// that footers stay small.
type sealer struct {
	out   io.Writer
	held  bytes.Buffer // not passed on yet
	whole hash.Hash
	sums  []byte
	size  int64
}

func newSealer(out io.Writer) *sealer { return &sealer{out: out, whole: sha256.New()} }

// Write accepts bytes from the Parquet writer.
func (s *sealer) Write(p []byte) (int, error) { return s.held.Write(p) }

// endGroup ends a row group and passes it on.
func (s *sealer) endGroup() error {
	sum := sha256.Sum256(s.held.Bytes())
	s.sums = append(s.sums, sum[:]...)
	return s.pass(s.held.Bytes())
}

// finish writes the footer, after the Parquet writer was closed, and sets the sizes and checksums in
// info.
func (s *sealer) finish(info *record.Chunk) error {
	end, err := s.footer()
	if err != nil {
		return fmt.Errorf("BUG: footer of a new chunk: %w", err)
	}
	if err := s.pass(end); err != nil {
		return err
	}
	sum := sha256.Sum256(end)
	info.Bytes, info.SHA256 = s.size, hex.EncodeToString(s.whole.Sum(nil))
	info.Footer, info.FooterSHA256 = int64(len(end)), hex.EncodeToString(sum[:])
	return nil
}

// footer returns the footer and the trailer of the chunk.
func (s *sealer) footer() ([]byte, error) {
	written, err := footerIn(s.held.Bytes())
	if err != nil {
		return nil, err
	}
	var meta format.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), written, &meta); err != nil {
		return nil, err
	}
	for i := range meta.RowGroups {
		for j := range meta.RowGroups[i].Columns {
			c := &meta.RowGroups[i].Columns[j]
			c.ColumnIndexOffset, c.ColumnIndexLength, c.OffsetIndexOffset, c.OffsetIndexLength = 0, 0, 0, 0
			c.MetaData.EncodingStats = nil
			if j > keyColumn {
				c.MetaData.Statistics = format.Statistics{}
			}
		}
	}
	meta.KeyValueMetadata = append(meta.KeyValueMetadata, format.KeyValue{Key: sumsKey, Value: base64.StdEncoding.EncodeToString(s.sums)})
	end, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return nil, err
	}
	return withTrailer(end), nil
}

// withTrailer appends the trailer to a footer.
func withTrailer(footer []byte) []byte {
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer))) //nolint:gosec // far below 4 GB
	return append(footer, magicText...)
}

func (s *sealer) pass(p []byte) error {
	s.whole.Write(p)
	n, err := s.out.Write(p)
	s.size += int64(n)
	s.held.Reset()
	return err
}

// footerIn returns the footer in the end of a file, without the trailer.
func footerIn(end []byte) ([]byte, error) {
	rest := len(end) - trailer
	if rest < 0 || string(end[rest+4:]) != magicText {
		return nil, fmt.Errorf("%d bytes do not end with %s", len(end), magicText)
	}
	length := int64(binary.LittleEndian.Uint32(end[rest:]))
	if length > int64(rest) {
		return nil, fmt.Errorf("footer of %d bytes in the last %d", length, len(end))
	}
	return end[int64(rest)-length : rest], nil
}
