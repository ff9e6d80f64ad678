package chunk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/transfer"
)

var forgeries = flag.Int("forgeries", 3000, "how many forged chunks to read")

// shelf is a store with one record.
type shelf struct {
	store.Store
	data []byte
}

func (s *shelf) Create(_ context.Context, _ string, write func(io.Writer) error) error {
	var b bytes.Buffer
	err := write(&b)
	s.data = b.Bytes()
	return err
}

func (s *shelf) Open(context.Context, string, int64) (store.Record, error) {
	return shelved{bytes.NewReader(s.data)}, nil
}

type shelved struct{ *bytes.Reader }

func (shelved) Close() error         { return nil }
func (shelved) Bind(context.Context) {}

// TestForgedChunk reads chunks with changed, missing or repeated bytes and a matching checksum. It
// checks that reading returns either an error or rows in order, and uses bounded memory.
func TestForgedChunk(t *testing.T) {
	const entries, most = 1000, 16 << 20
	store := &shelf{}
	whole := make([]Item[EntryRow], entries)
	for i := range whole {
		e := record.Entry{
			Key: fmt.Sprintf("key/%05d", i), Source: transfer.Version{ETag: fmt.Sprint(i), Size: int64(i)}, KeyARN: "arn", CopiedAt: time.Unix(int64(i), 0),
		}
		whole[i].Row = RowOfEntry(&e)
	}
	infos, err := Write(t.Context(), &Writer{Store: store, Mapping: "m", Nonce: "n", MaxRows: entries, Encoders: NewEncoders()}, "", func(yield func(Item[EntryRow], error) bool) {
		for _, row := range whole {
			if !yield(row, nil) {
				return
			}
		}
	})
	if err != nil || len(infos) != 1 {
		t.Fatalf("got chunks %v, %v, want one", infos, err)
	}
	info := infos[0]
	original := bytes.Clone(store.data)
	group := info.Bytes - info.Footer
	r := rand.New(rand.NewPCG(1, 2))
	for range *forgeries {
		store.data = forge(r, original)
		forged := sealed(info, store.data, group)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		last := ""
		for row, err := range live[EntryRow](t.Context(), store, []record.Run{{Chunks: []record.Chunk{forged}}}, []string{"", "key/00500"}[r.IntN(2)]) {
			if err != nil {
				break
			}
			if row.Key <= last {
				t.Fatalf("got key %q after %q", row.Key, last)
			}
			last = row.Key
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > most {
			t.Fatalf("got %d bytes of memory for a chunk of %d, want at most %d", grown, len(store.data), most)
		}
	}
}

func forge(r *rand.Rand, original []byte) []byte {
	data := bytes.Clone(original)
	for range 1 + r.IntN(4) {
		at := r.IntN(len(data))
		if r.IntN(2) == 0 { // the footer allows the most kinds of forgery
			at = len(data) - 1 - r.IntN(min(len(data), 3000))
		}
		switch r.IntN(4) {
		case 0:
			data = append(data[:at], data[min(len(data), at+1+r.IntN(8)):]...)
		case 1:
			data = append(data[:at:at], append([]byte{byte(r.Uint32())}, data[at:]...)...)
		default:
			data[at] = byte(r.Uint32())
		}
		if len(data) < 16 {
			return data
		}
	}
	return data
}

// sealed returns info with the sizes and checksums of a forged chunk: of the whole, of its footer, and,
// if they are where a chunk with one row group has them, of the row group.
func sealed(info record.Chunk, data []byte, groupEnd int64) record.Chunk {
	if at := bytes.LastIndex(data, []byte(sumsKey)); at > 0 && groupEnd < int64(len(data)) {
		sum := sha256.Sum256(data[:groupEnd])
		text := base64.StdEncoding.EncodeToString(sum[:])
		for i := at + len(sumsKey); i+len(text) <= len(data) && i < at+len(sumsKey)+16; i++ {
			if _, err := base64.StdEncoding.DecodeString(string(data[i : i+len(text)])); err == nil {
				copy(data[i:], text)
				break
			}
		}
	}
	if int64(len(data)) < int64(2*trailer) {
		return info
	}
	length := min(int64(binary.LittleEndian.Uint32(data[len(data)-trailer:]))+int64(trailer), int64(len(data)))
	whole, footer := sha256.Sum256(data), sha256.Sum256(data[int64(len(data))-length:])
	info.Bytes, info.SHA256 = int64(len(data)), hex.EncodeToString(whole[:])
	info.Footer, info.FooterSHA256 = length, hex.EncodeToString(footer[:])
	return info
}
