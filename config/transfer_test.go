package config_test

import (
	"testing"

	"syncd/config"
	"syncd/internal/transfer"
)

// TestPlacesOfOneServiceAreAtOneService checks that different spellings of an endpoint, such as
// with a trailing slash, name the same service.
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
			t.Errorf("%s: got relay %v, want the method %s", name, got, tt.want)
		}
	}
}

// TestStatePlace checks the place of state on S3. Its account defaults to the account of its role,
// and its region to the region of the first destination.
func TestStatePlace(t *testing.T) {
	t.Parallel()
	c := &config.Config{
		State:      "s3://state/syncd/",
		AWS:        config.AWS{EndpointURL: "https://s3.eu-west-1.amazonaws.com"},
		Roles:      map[string]config.Role{"keeper": {ARN: "arn:aws:iam::222222222222:role/keeper"}},
		Checkpoint: config.Checkpoint{Role: "keeper"},
		Mappings:   []config.Mapping{{Destination: config.Destination{Region: "eu-west-1"}}},
	}
	want := transfer.Place{Bucket: "state", Prefix: "syncd/", Account: "222222222222", Region: "eu-west-1", Role: "keeper"}
	if got, ok := c.StatePlace(); got != want || !ok {
		t.Errorf("got %+v, %v, want %+v", got, ok, want)
	}
	c.Checkpoint.EndpointURL, c.Checkpoint.Account, c.Checkpoint.Region = "https://minio.example/", "1", "r"
	want.Account, want.Region = "1", "r"
	if got, _ := c.StatePlace(); got != want.At("https://minio.example") {
		t.Errorf("got %+v, want %+v at minio.example", got, want)
	}
	c.State = "file:state"
	if got, ok := c.StatePlace(); ok {
		t.Errorf("got %+v for a folder, want none", got)
	}
}

// TestHolderOfASource checks the identity of a source, and the bucket that contains its objects.
// For an access point, this bucket is known only from underlying_bucket.
func TestHolderOfASource(t *testing.T) {
	t.Parallel()
	const point = "arn:aws:s3:us-west-2:111111111111:accesspoint/partner"
	for _, tt := range []struct {
		source           config.Source
		identity, holder string
	}{
		{config.Source{Bucket: "b"}, "b", "b"},
		{config.Source{Bucket: point}, point, ""},
		{config.Source{Bucket: "an-alias-s3alias", AccessPointARN: point, UnderlyingBucket: "b"}, point, "b"},
	} {
		source, _ := (&config.Config{}).Places(config.Mapping{Source: tt.source})
		if source.Identity() != tt.identity || source.Holder() != tt.holder {
			t.Errorf("%+v: got %q in %q, want %q in %q", tt.source, source.Identity(), source.Holder(), tt.identity, tt.holder)
		}
	}
}
