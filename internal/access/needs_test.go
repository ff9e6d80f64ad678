package access_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/iam"
)

// needsOf are the actions that the first mapping of a configuration needs of one kind of resource.
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
    destination: {bucket: consumer-copy, region: us-west-2, account: "222222222222", role: ROLE, kms_key: "` + exampleKey + `"}
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
			"two roles within S3", "b", "    filter: {max_size: 1MiB}\n    copy: {tags: omit, mode: server_side}\n",
			[]string{"s3:GetObject", "s3:GetObject"},
			[]string{"s3:GetObject", "s3:PutObject"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, strings.Replace(base, "ROLE", tt.role, 1)+tt.more)
			if diff := cmp.Diff(tt.source, needsOf(c, access.SourceObjects)); diff != "" {
				t.Errorf("of source objects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.destination, needsOf(c, access.DestinationObjects)); diff != "" {
				t.Errorf("of destination objects (-want +got):\n%s", diff)
			}
		})
	}
}

// What a need says of its request is what the documents made of it ask for.
func TestDocumentsAllowEveryNeed(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.example, func(t *testing.T) {
			c := load(t, w.example)
			documents := policies(t, w, externalID)
			for _, m := range c.Mappings {
				for _, n := range access.Needs(c, m) {
					if d := decide(n, w, documents); !d.Allowed {
						t.Errorf("%s of %q on %s: got a denial by %s %v", n.Action, n.Role, n.Sample, d.Source, d.Statement)
					}
				}
			}
		})
	}
}

// decide asks the documents about the typical request of a need.
func decide(n access.Need, w way, documents []access.Document) iam.Decision {
	facts := maps.Clone(n.Context)
	facts["aws:PrincipalOrgID"], facts["aws:SourceVpce"] = []string{org}, []string{endpoint}
	if n.ExternalID {
		facts["sts:ExternalId"] = []string{"the-external-id"}
	}
	caller := iam.Caller{ARN: "arn:aws:iam::222222222222:user/task", Account: n.Account}
	target := w.options.Principal
	if n.Role != "" {
		caller.ARN, caller.RoleARN = "arn:aws:sts::"+n.Account+":assumed-role/r/s", n.Principal
		target = n.Principal
	}
	kinds := map[string]access.Kind{"s3": access.KindBucket, "kms": access.KindKey, "sts": access.KindTrust}
	service, _, _ := strings.Cut(n.Action, ":")
	bucket, _, _ := strings.Cut(strings.TrimPrefix(n.Sample, "arn:aws:s3:::"), "/")
	policies := iam.Policies{Kind: resourceKind(kinds[service])}
	for _, d := range documents {
		switch {
		case d.Kind == access.KindIdentity && d.Target == target:
			policies.Identity = append(policies.Identity, d.Policy())
		case d.Kind != kinds[service] || d.Account != n.Owner:
		case d.Kind == access.KindKey, d.Target == bucket, d.Target == n.Sample:
			policies.Resource = d.Policy()
		}
	}
	return iam.Evaluate(iam.Request{Caller: caller, Action: n.Action, Resource: n.Sample, Account: n.Owner, Context: facts}, policies)
}
