package awsfake

import (
	"bytes"
	"io"
)

const (
	recognisable = 256 << 10 // bytes; shorter bodies are cheaper to keep than to compare
	maxPatterns  = 64        // that uploads are compared with
	probeSize    = 64        // bytes that find the place within a pattern
)

// remember makes uploads comparable with a pattern, and returns the one of its seed.
func (c *Cloud) remember(p *pattern) *pattern {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.patterns[p.seed]; known != nil {
		return known
	}
	if len(c.patterns) < maxPatterns {
		c.patterns[p.seed] = p
	}
	return p
}

// take stores an upload's body. One that repeats a stretch of a synthetic body is kept as that
// stretch, so that relaying a body of many gigabytes costs no more memory than copying it.
func (s *sealer) take(r io.Reader, size int64, patterns []*pattern) (content, error) {
	if size == 0 {
		return nil, nil
	}
	if size < recognisable || len(patterns) == 0 {
		return s.takeBytes(r, size)
	}
	probe := make([]byte, probeSize)
	if _, err := io.ReadFull(r, probe); err != nil {
		return nil, unexpected(err)
	}
	r = io.MultiReader(bytes.NewReader(probe), r)
	for _, p := range patterns {
		if at := p.find(probe); at >= 0 {
			return s.takeStretch(r, extent{size: size, pattern: p, offset: at})
		}
	}
	return s.takeBytes(r, size)
}

func (s *sealer) takeBytes(r io.Reader, size int64) (content, error) {
	e, err := s.seal(r, size)
	if err != nil {
		return nil, err
	}
	return content{e}, nil
}

// takeStretch compares the body with what it seems to be; where they part, the bytes are real.
func (s *sealer) takeStretch(r io.Reader, seems extent) (content, error) {
	expected := content{seems}.reader(nil, 0, seems.size)
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
			same := content{seems}.reader(nil, 0, done)
			return s.takeBytes(io.MultiReader(same, bytes.NewReader(got[:n]), r), seems.size)
		}
		done += n
	}
	seems.crc = seems.pattern.checksum(s.crc, seems.offset, seems.size)
	return content{seems}, nil
}

// find is where in the endless repetition of the pattern these bytes first stand, -1 for nowhere.
func (p *pattern) find(probe []byte) int64 {
	block := p.block(period)
	return int64(bytes.Index(append(block, block[:len(probe)]...), probe))
}

// unexpected makes an early end of a body an error.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // io.ReadFull returns it bare, and a wrapped one is another error
		return io.ErrUnexpectedEOF
	}
	return err
}

func (c *Cloud) knownPatterns() []*pattern {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*pattern, 0, len(c.patterns))
	for _, p := range c.patterns {
		out = append(out, p)
	}
	return out
}
