package transfer_test

import (
	"testing"

	"pgregory.net/rapid"

	"syncd/internal/transfer"
)

func TestPlacesAreComparedByTheirService(t *testing.T) {
	at := func(url string) transfer.Place { return transfer.Place{Bucket: "b", Prefix: "p/"}.At(url) }
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"", "https://s3.us-west-2.amazonaws.com/", true},
		{"https://minio.example", "https://minio.example/", true},
		{"https://minio.example", "http://MINIO.example:80//", true},
		{"https://minio.example", "https://minio.example:9000", false},
		{"", "https://minio.example", false},
	} {
		if got := at(tt.a).SameService(at(tt.b)); got != tt.want {
			t.Errorf("%q and %q: got the same service %v, want %v", tt.a, tt.b, got, tt.want)
		}
		if got := at(tt.a).Same(at(tt.b)); got != tt.want {
			t.Errorf("%q and %q: got the same place %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
	if at("").Same(transfer.Place{Bucket: "b"}) || at("").Same(transfer.Place{Bucket: "c", Prefix: "p/"}) {
		t.Error("another prefix or another bucket is the same place")
	}
	point := transfer.Place{Bucket: "an-alias-s3alias", AccessPoint: "arn:aws:s3:us-west-2:111111111111:accesspoint/p"}
	if !point.Same(transfer.Place{Bucket: point.AccessPoint, AccessPoint: point.AccessPoint}) {
		t.Error("an access point by its alias is another place than by its ARN")
	}
}

func TestARN(t *testing.T) {
	for _, tt := range []struct {
		place transfer.Place
		want  string
	}{
		{transfer.Place{Bucket: "b", Region: "us-west-2"}, "arn:aws:s3:::b"},
		{transfer.Place{Bucket: "b", Region: "cn-north-1"}, "arn:aws-cn:s3:::b"},
		{transfer.Place{Bucket: "an-alias-s3alias", AccessPoint: "arn:aws:s3:us-west-2:111111111111:accesspoint/p"}, "arn:aws:s3:us-west-2:111111111111:accesspoint/p"},
	} {
		if got := tt.place.ARN(); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.place, got, tt.want)
		}
	}
}

// TestKeysGoThereAndBack checks that replacing the prefix of keys keeps every byte after the
// prefix, and the order of the keys.
func TestKeysGoThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := transfer.Place{Bucket: "s", Prefix: rapid.String().Draw(t, "source prefix")}
		destination := transfer.Place{Bucket: "d", Prefix: rapid.String().Draw(t, "destination prefix")}
		a, b := source.Prefix+rapid.String().Draw(t, "a"), source.Prefix+rapid.String().Draw(t, "b")
		to := source.KeyTo(destination, a)
		if back, ok := destination.KeyFrom(source, to); !ok || back != a || !destination.Contains(to) {
			t.Errorf("%q to %q: got %q, %v back", a, to, back, ok)
		}
		if (a < b) != (to < source.KeyTo(destination, b)) {
			t.Errorf("%q and %q: the order differs at the destination", a, b)
		}
	})
	if key, ok := (transfer.Place{Prefix: "in/"}).KeyFrom(transfer.Place{}, "out/a"); ok {
		t.Errorf("got %q for a key that is not in the place, want none", key)
	}
}

// TestOverlaps checks that places overlap if an object can be in both.
func TestOverlaps(t *testing.T) {
	place := func(bucket, prefix, url string) transfer.Place {
		return transfer.Place{Bucket: bucket, Prefix: prefix}.At(url)
	}
	for _, tt := range []struct {
		a, b transfer.Place
		want bool
	}{
		{place("b", "", ""), place("b", "p/", ""), true},
		{place("b", "p/", ""), place("b", "p/", ""), true},
		{place("b", "p/", ""), place("b", "q/", ""), false},
		{place("b", "p/", ""), place("c", "p/", ""), false},
		{place("b", "p/", ""), place("b", "p/", "https://minio.example"), false},
	} {
		if there, back := tt.a.Overlaps(tt.b), tt.b.Overlaps(tt.a); there != tt.want || back != tt.want {
			t.Errorf("%s and %s: got %v and %v, want %v", tt.a, tt.b, there, back, tt.want)
		}
	}
}

// TestWhatRequestsNameOfAPlace checks that requests send no expected owner and no payer if the
// place has none.
func TestWhatRequestsNameOfAPlace(t *testing.T) {
	plain, full := transfer.Place{}, transfer.Place{Account: "111111111111", RequestPayer: true}
	if got := plain.ExpectedOwner(); got != nil || plain.Payer() != "" {
		t.Errorf("got owner %v and payer %q of a place that has none", got, plain.Payer())
	}
	if got := full.ExpectedOwner(); got == nil || *got != full.Account || full.Payer() != "requester" {
		t.Errorf("got owner %v and payer %q, want %s and requester", got, full.Payer(), full.Account)
	}
}
