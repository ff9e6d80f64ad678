package store

import (
	"bytes"
	"testing"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/kms"
	"syncd/internal/awsfake/s3/content"
)

func newTestStore() (*Store, *directory.Account, *kms.Key) {
	c := core.New(core.Options{})
	keys := kms.New(c)
	a := c.Directory.Account("111111111111")
	return New(c, keys), a, keys.CreateKey(a, "us-west-2", nil)
}

func TestBytesAtRestAreEncrypted(t *testing.T) {
	s, a, k := newTestStore()
	plain := bytes.Repeat([]byte("very secret "), 20_000)
	for name, keyARN := range map[string]string{"sse-s3": "", "sse-kms": k.ARN()} {
		b := s.CreateBucket(a, name, "us-west-2", BucketOptions{KeyARN: keyARN})
		b.Put("k", content.BytesBody(plain), PutOptions{})
		atRest := b.index.get("k").current().Content.AtRest()[0]
		if bytes.Contains(atRest, []byte("secret")) {
			t.Errorf("%s: plaintext at rest", name)
		}
		atRest[len(atRest)/2] ^= 1
		if _, err := b.Read("k"); err == nil {
			t.Errorf("%s: a changed byte went unnoticed", name)
		}
	}
}

func TestWrappedKeyIsBoundToItsContext(t *testing.T) {
	s, _, k := newTestStore()
	e, _ := s.WrapNewKey(EncryptionRule{Key: k}, "b", "k")
	if _, err := s.UnwrapKey(e); err != nil {
		t.Errorf("own context: %v", err)
	}
	e.context = ObjectARN("b", "other")
	if _, err := s.UnwrapKey(e); err == nil {
		t.Error("another object's context opened the key")
	}
}
