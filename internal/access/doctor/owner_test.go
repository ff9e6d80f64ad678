package doctor_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"syncd/internal/access/accesstest"
)

// owners is a transport that records the expected owner in requests to the state's bucket.
type owners struct {
	next http.RoundTripper
	mu   *sync.Mutex
	of   map[string]int
}

func (o owners) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Host+r.URL.Path, "consumer-state") {
		o.mu.Lock()
		o.of[r.Header.Get("X-Amz-Expected-Bucket-Owner")]++
		o.mu.Unlock()
	}
	return o.next.RoundTrip(r)
}

// TestDoctorNamesTheOwnerOfTheState checks that every request of the doctor to the state's bucket
// has the expected owner that the store sends. The configuration specifies no owner, so the
// expected owner is the account of checkpoint.role.
func TestDoctorNamesTheOwnerOfTheState(t *testing.T) {
	x := doctored(t, accesstest.Ways()[2], func(text string) string { return text })
	x.Config.AWS.EndpointURL, x.Config.Checkpoint.Account, x.Config.Checkpoint.Role = "https://s3.us-west-2.amazonaws.com", "", x.Config.Mappings[0].Destination.Role
	seen := owners{x.Transport, new(sync.Mutex), map[string]int{}}
	x.Transport = seen
	x.diagnose(t)
	if want := x.Config.StateAccount(); want == "" || seen.of[want] == 0 || len(seen.of) != 1 {
		t.Errorf("got owners %v, want %s with every request", seen.of, want)
	}
}
