package creds

import "testing"

func TestIdleConnections(t *testing.T) {
	for _, tt := range []struct{ connections, perHost, all int }{{0, 10, 100}, {5, 10, 100}, {64, 64, 100}, {200, 200, 200}} {
		got := buildable(tt.connections, nil, nil).GetTransport()
		if got.MaxIdleConnsPerHost != tt.perHost || got.MaxIdleConns != tt.all {
			t.Errorf("%d: got %d idle connections per host of %d, want %d of %d", tt.connections, got.MaxIdleConnsPerHost, got.MaxIdleConns, tt.perHost, tt.all)
		}
	}
}
