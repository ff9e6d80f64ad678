package creds_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"syncd/config"
)

// hosts records the hosts that STS requests are sent to.
type hosts struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen []string
}

func (h *hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.Header.Get("Authorization"), "/sts/") {
		h.mu.Lock()
		_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		h.seen = append(h.seen, r.URL.Host+" "+strings.Split(scope, "/")[2])
		h.mu.Unlock()
	}
	return h.next.RoundTrip(r)
}

func TestWhereARoleIsAssumed(t *testing.T) {
	for _, tt := range []struct{ set, role, region, want string }{
		{"", "", "", "sts.us-west-2.amazonaws.com us-west-2"},
		{"", "", "eu-central-1", "sts.eu-central-1.amazonaws.com eu-central-1"},
		{"http://all.invalid", "", "", "all.invalid us-west-2"},
		{"http://all.invalid", "http://own.invalid", "eu-central-1", "own.invalid eu-central-1"},
	} {
		w := newWorld(t)
		seen := &hosts{next: w.cloud.RoundTripper()}
		w.options.EndpointURL, w.options.HTTPClient = tt.set, &http.Client{Transport: seen}
		w.set("syncd", func(r *config.Role) { r.EndpointURL, r.Region = tt.role, tt.region })
		if err := w.try(t, "syncd"); err != nil {
			t.Errorf("%+v: %v", tt, err)
		}
		if len(seen.seen) != 1 || seen.seen[0] != tt.want {
			t.Errorf("%+v: got %q, want %q", tt, seen.seen, tt.want)
		}
	}
}

func TestAttachSeesSTS(t *testing.T) {
	w := newWorld(t)
	var n int
	var mu sync.Mutex
	w.options.Attach = counting(&n, &mu)
	if err := w.try(t, "syncd"); err != nil {
		t.Fatal(err)
	}
	if n != 1 {
		t.Errorf("got %d requests seen, want the one to STS", n)
	}
}

// TestClientsShareTheirConnections checks that all configurations share one HTTP client.
func TestClientsShareTheirConnections(t *testing.T) {
	w := newWorld(t)
	w.options.HTTPClient = nil
	set := w.open(t)
	one, errOne := set.Config("syncd", region)
	other, errOther := set.Config("", "eu-central-1")
	if err := errors.Join(errOne, errOther); err != nil {
		t.Fatal(err)
	}
	if one.HTTPClient != other.HTTPClient {
		t.Error("got two clients, want one")
	}
	if _, ok := one.HTTPClient.(*awshttp.BuildableClient); ok {
		t.Error("got a buildable client, of which each service client makes a copy, with connections of its own")
	}
	if one.Region != region || other.Region != "eu-central-1" || aws.ToString(one.BaseEndpoint) != "" {
		t.Errorf("got regions %s and %s, want the region of each configuration", one.Region, other.Region)
	}
}
