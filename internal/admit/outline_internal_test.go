package admit

import (
	"math/rand/v2"
	"testing"
)

// slowPass counts the parts of a document byte by byte, as outline.pass must.
func (o *outline) slowPass(p []byte) {
	for _, c := range p {
		switch {
		case c == '<':
			o.tags++
			o.longest, o.text = max(o.longest, o.text), 0
		case o.last == '<':
			o.begin(c)
		case c == '>' && o.last == '/':
			o.depth--
		default:
			o.text++
		}
		o.last = c
	}
	o.longest = max(o.longest, o.text)
}

// TestOutlineByByte checks that outline.pass gives the same counts as byte by byte, for random
// documents that arrive in random pieces.
func TestOutlineByByte(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var got, want outline
		for range 1 + random.IntN(4) {
			piece := make([]byte, random.IntN(12))
			for i := range piece {
				piece[i] = "<<<>>>//!?ab"[random.IntN(12)]
			}
			got.pass(piece)
			want.slowPass(piece)
			if got != want {
				t.Fatalf("after %q: got %+v, want %+v", piece, got, want)
			}
		}
	}
}
