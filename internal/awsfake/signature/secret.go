package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync"
)

// Secret is a secret access key.
type Secret struct {
	Text string

	mu   sync.Mutex
	keys map[string][]byte // by date/region/service
}

// NewSecret returns a secret access key.
func NewSecret(text string) *Secret { return &Secret{Text: text} }

// key derives the signing key for a date, Region and service. It caches the key, because clients
// sign thousands of requests with it.
func (c *Secret) key(s *Signature) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	scope := s.scope()
	if key := c.keys[scope]; key != nil {
		return key
	}
	key := []byte("AWS4" + c.Text)
	for _, part := range []string{s.date, s.Region, s.service, "aws4_request"} {
		key = sign(key, part)
	}
	if c.keys == nil {
		c.keys = map[string][]byte{}
	}
	c.keys[scope] = key
	return key
}

func sign(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
