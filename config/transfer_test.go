package config_test

import (
	"testing"

	"syncd/config"
	"syncd/internal/transfer"
)

// A source whose endpoint has a slash at its end is at the service of a destination whose endpoint has none, for everybody who asks.
func TestPlacesOfOneServiceAreAtOneService(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		everywhere, source, destination string
		want                            transfer.Method
	}{
		"a slash":                        {"", "https://minio.example/", "https://minio.example", transfer.ServerSide},
		"a slash, and the default":       {"https://minio.example", "https://MINIO.example:443//", "", transfer.ServerSide},
		"AWS itself by a URL and none":   {"", "https://s3.us-west-2.amazonaws.com/", "", transfer.ServerSide},
		"another port":                   {"", "https://minio.example:9000/", "https://minio.example", transfer.Relay},
		"one with an endpoint, one none": {"", "https://minio.example/", "", transfer.Relay},
	} {
		c := &config.Config{AWS: config.AWS{EndpointURL: tt.everywhere}}
		m := config.Mapping{Source: config.Source{EndpointURL: tt.source}, Destination: config.Destination{EndpointURL: tt.destination}}
		source, destination := c.Places(m)
		if got := c.Method(m); got != tt.want || source.SameService(destination) != (tt.want == transfer.ServerSide) {
			t.Errorf("%s: got %s between %q and %q, want %s", name, got, source.Service(), destination.Service(), tt.want)
		}
		if got := c.Transfer(m).Relay; got != (tt.want == transfer.Relay) || got != c.Relayed(m) {
			t.Errorf("%s: got relay %v, want what the method says, %s", name, got, tt.want)
		}
	}
}
