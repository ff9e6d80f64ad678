package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/accesstest"
)

// needsOf returns the actions that the first mapping of a configuration needs on one kind of
// resource.
func needsOf(c *config.Config, on access.Resource) (actions []string) {
	for _, n := range access.Needs(c, c.Mappings[0]) {
		if n.On == on {
			actions = append(actions, n.Action)
		}
	}
	slices.Sort(actions)
	return actions
}

func TestNeedsFollowTheSettings(t *testing.T) {
	const base = `state: file:state
roles:
  a: {arn: "arn:aws:iam::222222222222:role/a"}
  b: {arn: "arn:aws:iam::222222222222:role/b"}
mappings:
  - name: m
    source: {bucket: owner-data, region: us-west-2, account: "111111111111", role: a}
    destination: {bucket: consumer-copy, region: us-west-2, account: "222222222222", role: ROLE, kms_key: "` + accesstest.ExampleKey + `"}
`
	const least = "    filter: {max_size: 1MiB}\n    copy: {tags: omit}\n"
	parts := []string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"}
	for _, tt := range []struct {
		name, role, more    string
		source, destination []string
	}{
		{"least", "a", least, []string{"s3:GetObject"}, []string{"s3:GetObject", "s3:PutObject"}},
		{"parts above 5 GiB", "a", "    filter: {max_size: 6GiB}\n    copy: {tags: omit}\n", []string{"s3:GetObject"}, parts},
		{"no parts up to 5 GiB", "a", "    filter: {max_size: 5GiB}\n    copy: {tags: omit}\n", []string{"s3:GetObject"}, []string{"s3:GetObject", "s3:PutObject"}},
		{"threshold", "a", "    filter: {max_size: 1GiB}\n    copy: {tags: omit, multipart_above: 100MiB}\n", []string{"s3:GetObject"}, parts},
		{"parts of a relay", "b", "    filter: {max_size: 9MiB}\n    copy: {tags: omit}\n", []string{"s3:GetObject"}, parts},
		{
			"tags of whole copies", "a", "    filter: {max_size: 1MiB}\n",
			[]string{"s3:GetObject", "s3:GetObjectTagging"},
			[]string{"s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"},
		},
		{
			"object lock", "a", "    filter: {max_size: 1MiB}\n    copy: {tags: omit, object_lock: copy}\n",
			[]string{"s3:GetObject", "s3:GetObjectLegalHold", "s3:GetObjectRetention"},
			[]string{"s3:GetObject", "s3:PutObject", "s3:PutObjectLegalHold", "s3:PutObjectRetention"},
		},
		{
			"annotations", "a", "    filter: {max_size: 1MiB}\n    copy: {tags: omit, annotations: copy}\n",
			[]string{"s3:GetObject", "s3:GetObjectAnnotation"},
			[]string{"s3:GetObject", "s3:PutObject", "s3:PutObjectAnnotation"},
		},
		{
			"annotations of a relay", "b", "    filter: {max_size: 1MiB}\n    copy: {tags: omit, annotations: copy}\n",
			[]string{"s3:GetObject", "s3:GetObjectAnnotation", "s3:ListObjectAnnotations"},
			[]string{"s3:GetObject", "s3:PutObject", "s3:PutObjectAnnotation"},
		},
		{"deletes", "a", least + "    delete: {enabled: true}\n", []string{"s3:GetObject"}, []string{"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}},
		{
			"inspections", "a", "    filter: {max_size: 1MiB}\n    verify: {sample: 1}\n",
			[]string{"s3:GetObject", "s3:GetObjectTagging"},
			[]string{"s3:GetObject", "s3:GetObjectTagging", "s3:PutObject", "s3:PutObjectTagging"},
		},
		{
			"inspections of locks", "a", "    filter: {max_size: 1MiB}\n    copy: {tags: omit, object_lock: copy}\n    verify: {sample: 1}\n",
			[]string{"s3:GetObject", "s3:GetObjectLegalHold", "s3:GetObjectRetention"},
			[]string{"s3:GetObject", "s3:GetObjectLegalHold", "s3:GetObjectRetention", "s3:PutObject", "s3:PutObjectLegalHold", "s3:PutObjectRetention"},
		},
		{
			"inspections of annotations", "a", "    filter: {max_size: 1MiB}\n    copy: {tags: omit, annotations: copy}\n    verify: {sample: 1}\n",
			[]string{"s3:GetObject", "s3:GetObjectAnnotation", "s3:ListObjectAnnotations"},
			[]string{"s3:GetObject", "s3:GetObjectAnnotation", "s3:ListObjectAnnotations", "s3:PutObject", "s3:PutObjectAnnotation"},
		},
		{"inspections without tags", "a", least + "    verify: {sample: 1}\n", []string{"s3:GetObject"}, []string{"s3:GetObject", "s3:PutObject"}},
		{
			"two roles within S3", "b", "    filter: {max_size: 1MiB}\n    copy: {tags: omit, mode: server_side}\n",
			[]string{"s3:GetObject", "s3:GetObject"},
			[]string{"s3:GetObject", "s3:PutObject"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := accesstest.Parse(t, strings.Replace(base, "ROLE", tt.role, 1)+tt.more)
			if diff := cmp.Diff(tt.source, needsOf(c, access.SourceObjects)); diff != "" {
				t.Errorf("source objects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.destination, needsOf(c, access.DestinationObjects)); diff != "" {
				t.Errorf("destination objects (-want +got):\n%s", diff)
			}
		})
	}
}
