package awsfake

import (
	"bytes"
	"hash/crc64"
	"io"
	"testing"

	"pgregory.net/rapid"
)

func TestBytesAtRestAreNotPlain(t *testing.T) {
	c := New(Options{})
	a := c.Account("111111111111")
	k := a.CreateKey("us-west-2", nil)
	plain := bytes.Repeat([]byte("very secret "), 20_000)
	for name, keyARN := range map[string]string{"sse-s3": "", "sse-kms": k.ARN()} {
		b := a.CreateBucket(name, "us-west-2", BucketOptions{KeyARN: keyARN})
		b.Put("k", BytesBody(plain), PutOptions{})
		run := b.index.get("k").current().content[0].sealed
		if bytes.Contains(run.box, []byte("secret")) {
			t.Errorf("%s: plaintext at rest", name)
		}
		run.box[segmentSize+sealTagSize+5] ^= 1
		if _, err := b.Read("k"); err == nil {
			t.Errorf("%s: a changed byte went unnoticed", name)
		}
	}
}

func TestWrappedKeyIsBoundToItsContext(t *testing.T) {
	c := New(Options{})
	k := c.Account("111111111111").CreateKey("us-west-2", nil)
	e, _ := c.store.wrapNewKey(encryptionRule{key: k}, "b", "k")
	if _, err := c.store.unwrapKey(e); err != nil {
		t.Errorf("own context: %v", err)
	}
	e.context = objectARN("b", "other")
	if _, err := c.store.unwrapKey(e); err == nil {
		t.Error("another object's context opened the key")
	}
}

// TestContentAgainstBytes cuts, reseals and joins contents of both kinds, and compares with plain slices.
func TestContentAgainstBytes(t *testing.T) {
	c := New(Options{Seed: 1})
	rapid.Check(t, func(rt *rapid.T) {
		s := &sealer{key: newAEAD(c.random.bytes(dataKeySize)), crc: c.store.crc, random: c.random}
		var body content
		var want []byte
		for range rapid.IntRange(1, 3).Draw(rt, "extents") {
			size := rapid.Int64Range(1, 3*segmentSize).Draw(rt, "size")
			if rapid.Bool().Draw(rt, "synthetic") {
				p := &pattern{seed: rapid.Uint64().Draw(rt, "seed")}
				at := rapid.Int64Range(0, 1<<40).Draw(rt, "offset")
				body = append(body, extent{size: size, pattern: p, offset: at, crc: p.checksum(c.store.crc, at, size)})
				want = append(want, endless(p, at, size)...)
				continue
			}
			plain := c.random.bytes(int(size))
			e, err := s.seal(bytes.NewReader(plain), size)
			if err != nil {
				rt.Fatal(err)
			}
			body, want = append(body, e), append(want, plain...)
		}
		from := rapid.Int64Range(0, body.size()-1).Draw(rt, "from")
		n := rapid.Int64Range(1, body.size()-from).Draw(rt, "n")
		other := &sealer{key: newAEAD(c.random.bytes(dataKeySize)), crc: c.store.crc, random: c.random}
		cut, err := other.reseal(body, s.key, from, n)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := io.ReadAll(cut.reader(other.key, 0, n))
		if err != nil || !bytes.Equal(got, want[from:from+n]) {
			rt.Fatalf("resealed %d..%d: other bytes, %v", from, from+n, err)
		}
		if got, want := cut.checksum(c.store.crc), crc64.Checksum(want[from:from+n], c.store.crc.table); got != want {
			rt.Fatalf("checksum %x, want %x", got, want)
		}
	})
}

// endless is a stretch of the pattern, made byte by byte.
func endless(p *pattern, at, n int64) []byte {
	block, out := p.block(period), make([]byte, n)
	for i := range out {
		out[i] = block[(at+int64(i))%period]
	}
	return out
}

func TestSealRefusesAShortBody(t *testing.T) {
	c := New(Options{})
	s := &sealer{key: newAEAD(make([]byte, dataKeySize)), crc: c.store.crc, random: c.random}
	for _, have := range []int{0, 5, segmentSize} {
		if _, err := s.seal(bytes.NewReader(make([]byte, have)), segmentSize+1); err != io.ErrUnexpectedEOF { //nolint:errorlint // returned bare
			t.Errorf("%d bytes: got %v, want %v", have, err, io.ErrUnexpectedEOF)
		}
	}
}

func TestSeedRepeats(t *testing.T) {
	id := func(seed uint64) string {
		return New(Options{Seed: seed}).Account("111111111111").CreateUser("u").AccessKeyID
	}
	first, again, other := id(1), id(1), id(2)
	if first != again || first == other {
		t.Errorf("seed 1 gave %s and %s, seed 2 gave %s", first, again, other)
	}
	if one, two := id(0), id(0); one == two {
		t.Errorf("no seed gave %s twice", one)
	}
}
