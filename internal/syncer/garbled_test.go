package syncer_test

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/copier/content"
	"syncd/internal/plan"
)

// garbler is a source that lists one key as another, like a server whose XML cannot represent the
// key.
type garbler struct {
	through  http.RoundTripper
	key, as  string
	listings int
}

func (g *garbler) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := g.through.RoundTrip(r)
	if err != nil || !r.URL.Query().Has("list-type") {
		return res, err
	}
	g.listings++
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.ReplaceAll(body, []byte("<Key>"+g.key+"</Key>"), []byte("<Key>"+g.as+"</Key>"))
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	res.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return res, nil
}

// TestListedAndGoneIsNoSuccess checks that an object is quarantined if every pass lists it although
// it does not exist, and that an object deleted between listing and copy is not quarantined.
func TestListedAndGoneIsNoSuccess(t *testing.T) {
	for _, relay := range []bool{false, true} {
		t.Run(map[bool]string{false: "server-side", true: "relay"}[relay], func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.copies.Relay, w.copies.Buffers = relay, content.NewBuffers(32<<20)
				w.fill(5)
				garbled := s3.New(w.client.Options(), func(o *s3.Options) {
					o.HTTPClient = &http.Client{Transport: &garbler{through: w.cloud.RoundTripper(), key: name(2), as: name(2) + "-not"}}
				})
				w.live.Client, w.copies.Source = garbled, garbled
				s := w.open(t)
				for range 3 {
					got, err := s.Run(t.Context())
					if err != nil || got.Exit != 3 || got.Quarantined[plan.Inconsistent] != 1 || got.Copied+got.Unchanged != 4 {
						t.Errorf("got %+v, %v, want the listed but absent key set aside", got, err)
					}
				}
			})
		})
	}
}
