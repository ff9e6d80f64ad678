package transfer_test

import (
	"testing"

	"syncd/internal/transfer"
)

func TestMethodOf(t *testing.T) {
	const point = "arn:aws:s3:us-west-2:111111111111:accesspoint/p"
	place := transfer.Place{Bucket: "b", Region: "us-west-2", Role: "consumer"}
	change := func(do func(*transfer.Place)) transfer.Place {
		p := place
		do(&p)
		return p
	}
	for name, tt := range map[string]struct {
		setting             transfer.Method
		source, destination transfer.Place
		want                transfer.Method
	}{
		"one role":                   {transfer.Auto, place, place, transfer.ServerSide},
		"two roles":                  {transfer.Auto, change(func(p *transfer.Place) { p.Role = "reader" }), place, transfer.Relay},
		"two roles on demand":        {transfer.ServerSide, change(func(p *transfer.Place) { p.Role = "reader" }), place, transfer.ServerSide},
		"a relay on demand":          {transfer.Relay, place, place, transfer.Relay},
		"two services":               {transfer.Auto, place, place.At("https://minio.example"), transfer.Relay},
		"a slash more":               {transfer.Auto, place.At("https://minio.example/"), place.At("https://minio.example"), transfer.ServerSide},
		"another region":             {transfer.Auto, change(func(p *transfer.Place) { p.Region = "eu-west-1" }), place, transfer.ServerSide},
		"an access point":            {transfer.Auto, change(func(p *transfer.Place) { p.AccessPoint = point }), place, transfer.ServerSide},
		"an access point elsewhere":  {transfer.Auto, change(func(p *transfer.Place) { p.AccessPoint, p.Region = point, "eu-west-1" }), place, transfer.Relay},
		"no setting is that of auto": {"", place, place, transfer.ServerSide},
	} {
		if got := transfer.MethodOf(tt.setting, tt.source, tt.destination); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

// TestClassOf checks that with KeepStorageClass, classes that cannot be written directly become
// STANDARD.
func TestClassOf(t *testing.T) {
	for _, tt := range []struct {
		settings     transfer.Settings
		source, want string
	}{
		{transfer.Settings{}, "GLACIER_IR", ""},
		{transfer.Settings{StorageClass: "STANDARD_IA"}, "GLACIER_IR", "STANDARD_IA"},
		{transfer.Settings{KeepStorageClass: true, StorageClass: "STANDARD_IA"}, "GLACIER_IR", "GLACIER_IR"},
		{transfer.Settings{KeepStorageClass: true}, "", "STANDARD"},
		{transfer.Settings{KeepStorageClass: true}, "EXPRESS_ONEZONE", "STANDARD"},
	} {
		if got := tt.settings.ClassOf(tt.source); got != tt.want {
			t.Errorf("%+v of %q: got %q, want %q", tt.settings, tt.source, got, tt.want)
		}
	}
}
