package access_test

import (
	"flag"
	"slices"
	"testing"

	"syncd/internal/access"
	"syncd/internal/access/accesstest"
)

// TestAccessPointsOfOtherRegionsAreRelayed checks that the mapping uses relays if the access point
// is in another region than the destination, because S3 cannot copy between them.
func TestAccessPointsOfOtherRegionsAreRelayed(t *testing.T) {
	const text = `{state: "file:x", roles: {r: {arn: "arn:aws:iam::222222222222:role/r"}}, mappings: [{name: m,
		source: {bucket: "arn:aws:s3:eu-west-1:111111111111:accesspoint/partner", region: eu-west-1, account: "111111111111", role: r},
		destination: {bucket: consumer-copy, region: us-west-2, account: "222222222222", role: r, kms_key: "` + accesstest.ExampleKey + `"}}]}`
	c := accesstest.Parse(t, text)
	if !c.Relayed(c.Mappings[0]) {
		t.Error("got a server-side copy, want a relay")
	}
	needs := access.Needs(c, c.Mappings[0])
	if i := slices.IndexFunc(needs, func(n access.Need) bool { return n.Feature == access.FeatureCopy }); i >= 0 {
		t.Errorf("got %+v, want no need for server-side copies", needs[i])
	}
}

var update = flag.Bool("update", false, "write the results to docs/permissions.md")

// TestPermissionsAreDocumented checks that docs/permissions.md matches the table.
func TestPermissionsAreDocumented(t *testing.T) {
	accesstest.Golden(t, *update, "../../docs/permissions.md", access.PermissionsDocument())
}
