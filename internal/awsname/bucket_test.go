package awsname_test

import (
	"strings"
	"testing"

	"syncd/internal/awsname"
)

func TestBuckets(t *testing.T) {
	for name, want := range map[string]string{
		"owner-data": "", "a.b": "", "ab": "is not 3 to 63 characters long", "SOURCE_BUCKET": "is a placeholder that was not filled in",
		"Owner": "contains a character other", "owner_data": "contains a character other", "-owner": "does not begin and end", "a..b": "two dots in a row",
		"192.0.2.1": "is an IP address", "data--usw2-az1--x-s3": "is a directory bucket", "p--xa-s3": awsname.DirectoryPoint, "l--ol-s3": awsname.ObjectLambda,
		"o--op-s3": awsname.Outpost, "t--table-s3": awsname.TableBucket, "f-ext-s3alias": "of a file system", "m.mrap": awsname.MultiRegionPoint,
	} {
		if got := awsname.CheckBucket(name); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]bool{"sthree-a": true, "xn--a": true, "amzn-s3-demo-a": true, "a-sthree-": false} {
		if got := awsname.ReservedPrefix(name); (got != "") != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if !awsname.IsAlias("point-1234-s3alias") || awsname.IsAlias("point") {
		t.Error("an alias is one that ends in -s3alias")
	}
}
