package content

import (
	"bytes"
	"hash/crc64"
	"io"
	"testing"

	"pgregory.net/rapid"

	"syncd/internal/awsfake/kms"
	"syncd/internal/awsfake/random"
)

// TestContentAgainstBytes cuts, reseals and joins contents of both kinds, and compares them with
// plain slices.
func TestContentAgainstBytes(t *testing.T) {
	r, crc := random.New(1), NewCRC()
	rapid.Check(t, func(rt *rapid.T) {
		s := &Sealer{key: kms.NewAEAD(r.Bytes(kms.DataKeySize)), crc: crc, random: r}
		var body Content
		var want []byte
		for range rapid.IntRange(1, 3).Draw(rt, "extents") {
			size := rapid.Int64Range(1, 3*segmentSize).Draw(rt, "size")
			if rapid.Bool().Draw(rt, "synthetic") {
				p := &pattern{seed: rapid.Uint64().Draw(rt, "seed")}
				at := rapid.Int64Range(0, 1<<40).Draw(rt, "offset")
				body = append(body, extent{size: size, pattern: p, offset: at, crc: p.checksum(crc, at, size)})
				want = append(want, endless(p, at, size)...)
				continue
			}
			plain := r.Bytes(int(size))
			e, err := s.seal(bytes.NewReader(plain), size)
			if err != nil {
				rt.Fatal(err)
			}
			body, want = append(body, e), append(want, plain...)
		}
		from := rapid.Int64Range(0, body.Size()-1).Draw(rt, "from")
		n := rapid.Int64Range(1, body.Size()-from).Draw(rt, "n")
		other := &Sealer{key: kms.NewAEAD(r.Bytes(kms.DataKeySize)), crc: crc, random: r}
		cut, err := other.Reseal(body, s.key, from, n)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := io.ReadAll(cut.Reader(other.key, 0, n))
		if err != nil || !bytes.Equal(got, want[from:from+n]) {
			rt.Fatalf("resealed %d..%d: other bytes, %v", from, from+n, err)
		}
		if got, want := cut.Checksum(crc), crc64.Checksum(want[from:from+n], crc.table); got != want {
			rt.Fatalf("checksum %x, want %x", got, want)
		}
	})
}

// endless returns a section of the repeated pattern, computed byte by byte.
func endless(p *pattern, at, n int64) []byte {
	block, out := p.block(period), make([]byte, n)
	for i := range out {
		out[i] = block[(at+int64(i))%period]
	}
	return out
}

func TestSealRejectsShortBody(t *testing.T) {
	r, crc := random.New(0), NewCRC()
	s := &Sealer{key: kms.NewAEAD(make([]byte, kms.DataKeySize)), crc: crc, random: r}
	for _, have := range []int{0, 5, segmentSize} {
		if _, err := s.seal(bytes.NewReader(make([]byte, have)), segmentSize+1); err != io.ErrUnexpectedEOF { //nolint:errorlint // returned bare
			t.Errorf("%d bytes: got %v, want %v", have, err, io.ErrUnexpectedEOF)
		}
	}
}
