package content

import (
	"bytes"
	"io"
)

const (
	recognisable = 256 << 10 // minimum bytes of a compared body: a shorter body is cheaper to store
	probeSize    = 64        // bytes used to find the position in a pattern
)

// Take stores an upload's body. If the body repeats a section of a synthetic body, Take stores only
// that section: relaying a body of many gigabytes uses no more memory than copying it.
func (s *Sealer) Take(r io.Reader, size int64, known *Patterns) (Content, error) {
	if size == 0 {
		return nil, nil
	}
	if size < recognisable {
		return s.takeBytes(r, size)
	}
	probe := make([]byte, probeSize)
	if _, err := io.ReadFull(r, probe); err != nil {
		return nil, unexpected(err)
	}
	r = io.MultiReader(bytes.NewReader(probe), r)
	for _, p := range known.all() {
		if at := p.find(probe); at >= 0 {
			return s.takeStretch(r, extent{size: size, pattern: p, offset: at})
		}
	}
	return s.takeBytes(r, size)
}

func (s *Sealer) takeBytes(r io.Reader, size int64) (Content, error) {
	e, err := s.seal(r, size)
	if err != nil {
		return nil, err
	}
	return Content{e}, nil
}

// takeStretch compares the body with the expected section. From the first difference on, it stores
// real bytes.
func (s *Sealer) takeStretch(r io.Reader, seems extent) (Content, error) {
	expected := Content{seems}.Reader(nil, 0, seems.size)
	got, want := make([]byte, segmentSize), make([]byte, segmentSize)
	for done := int64(0); done < seems.size; {
		n := min(segmentSize, seems.size-done)
		if _, err := io.ReadFull(r, got[:n]); err != nil {
			return nil, unexpected(err)
		}
		if _, err := io.ReadFull(expected, want[:n]); err != nil {
			return nil, unexpected(err)
		}
		if !bytes.Equal(got[:n], want[:n]) {
			same := Content{seems}.Reader(nil, 0, done)
			return s.takeBytes(io.MultiReader(same, bytes.NewReader(got[:n]), r), seems.size)
		}
		done += n
	}
	seems.crc = seems.pattern.checksum(s.crc, seems.offset, seems.size)
	return Content{seems}, nil
}
