package lint_test

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"syncd/internal/access/accesstest"
)

// drawConfig draws a configuration whose buckets and roles belong to AWS accounts.
func drawConfig(t *rapid.T) string {
	state := rapid.SampledFrom([]string{"file:state", "s3://consumer-state/syncd/", "s3://consumer-state/syncd/a?b*${c}/", "s3://consumer-copy/.state/"}).Draw(t, "state")
	text := "state: \"" + state + "\"\n"
	topology := rapid.SampledFrom([]string{"ambient", "one role", "two roles", "chain", "long chain"}).Draw(t, "topology")
	reader, writer := "", ""
	switch topology {
	case "one role":
		reader, writer = "consumer", "consumer"
		text += "roles:\n" + drawRole(t, "consumer", accesstest.Consumer, "", nil)
	case "two roles":
		reader, writer = "reader", rapid.SampledFrom([]string{"", "consumer"}).Draw(t, "writer")
		text += "roles:\n" + drawRole(t, "consumer", accesstest.Consumer, "", nil) + drawRole(t, "reader", accesstest.Owner, "", nil)
	case "chain":
		reader, writer = "consumer", "consumer"
		text += "roles:\n" + drawRole(t, "governance", accesstest.Governance, "", []string{"project", "Cost Center"}) + drawRole(t, "consumer", accesstest.Consumer, "governance", []string{"team"})
	case "long chain":
		reader, writer = "reader", "consumer"
		text += "roles:\n" + drawRole(t, "governance", accesstest.Governance, "", []string{"project"}) + drawRole(t, "consumer", accesstest.Consumer, "governance", []string{"team", "a:b"}) +
			drawRole(t, "reader", accesstest.Owner, "consumer", []string{"purpose"})
	}
	if strings.HasPrefix(state, "s3:") && topology != "ambient" {
		text += "checkpoint: {role: consumer" + rapid.SampledFrom([]string{"", ", account: \"222222222222\"", ", kms_key: \"" + accesstest.ExampleKey + "\""}).Draw(t, "checkpoint") + "}\n"
	} else if strings.HasPrefix(state, "s3:") {
		text += "checkpoint: {region: us-west-2, account: \"222222222222\"}\n"
	}
	text += "mappings:\n"
	for i := range rapid.IntRange(1, 4).Draw(t, "mappings") {
		text += drawMapping(t, i, reader, writer)
	}
	return text
}

func drawRole(t *rapid.T, name, account, via string, tagKeys []string) string {
	text := fmt.Sprintf("  %s:\n    arn: arn:aws:iam::%s:role/%ssyncd-%s\n", name, account, rapid.SampledFrom([]string{"", "data/lake/"}).Draw(t, "path"), name)
	if via != "" {
		text += "    via: " + via + "\n"
	}
	text += rapid.SampledFrom([]string{"", "    external_id: {env: AN_ID}\n", "    external_id: none\n"}).Draw(t, "external id")
	if rapid.Bool().Draw(t, "source identity") && via == "" {
		text += "    source_identity: syncd\n"
	}
	if rapid.Bool().Draw(t, "scoped") {
		text += "    session_policy: scoped\n"
	}
	if tagKeys == nil {
		tagKeys = []string{"project", "cost-center", "Team Name", "a/b"}
	}
	tags := rapid.SliceOfNDistinct(rapid.SampledFrom(tagKeys), 0, len(tagKeys), rapid.ID[string]).Draw(t, "tags")
	for i, key := range tags {
		if i == 0 {
			text += "    tags:\n"
		}
		text += fmt.Sprintf("      %q: %q\n", key, rapid.SampledFrom([]string{"lake", "", "a b=c@d", "été", "1:2/3"}).Draw(t, "value"))
	}
	if len(tags) > 0 && rapid.Bool().Draw(t, "transitive") {
		text += fmt.Sprintf("    transitive_tags: [%q]\n", tags[0])
	}
	return text
}

func drawMapping(t *rapid.T, i int, reader, writer string) string {
	prefix := rapid.SampledFrom([]string{"", "exports/", "a*b?c/", "${aws:username}/", "日本/é /", "x'\\\"y/", "%{if}/$$/"})
	source, destination := prefix.Draw(t, "source prefix"), prefix.Draw(t, "destination prefix")
	role := func(name string) string {
		if name == "" {
			return ""
		}
		return ", role: " + name
	}
	text := fmt.Sprintf("  - name: m%d\n    source: {bucket: owner-data-%d, prefix: %q, region: %s, account: %q%s}\n", i, i/2, source,
		rapid.SampledFrom([]string{"us-west-2", "eu-central-1"}).Draw(t, "region"), accesstest.Owner, role(reader))
	text += fmt.Sprintf("    destination: {bucket: consumer-copy-%d, prefix: \"m%d/%s, region: us-west-2, account: %q, kms_key: %q%s}\n", i/2, i,
		strings.TrimPrefix(fmt.Sprintf("%q", destination), `"`), accesstest.Consumer, accesstest.ExampleKey, role(writer))
	return text + rapid.SampledFrom([]string{"", "    delete: {enabled: true}\n", "    copy: {tags: omit}\n", "    copy: {acl: bucket-owner-full-control, object_lock: copy, annotations: copy}\n", "    copy: {object_lock: copy, annotations: copy}\n    verify: {sample: 1}\n", "    copy: {mode: relay}\n"}).Draw(t, "copy")
}
