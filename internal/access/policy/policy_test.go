package policy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/policy"
	"syncd/internal/iam"
)

func iamParse(text []byte) (*iam.Document, error) { return iam.Parse(text) }

func resourceKind(k access.Kind) iam.ResourceKind {
	return map[access.Kind]iam.ResourceKind{
		access.KindIdentity: iam.Identity, access.KindTrust: iam.Trust, access.KindBucket: iam.Bucket, access.KindKey: iam.Key,
	}[k]
}

// document returns the only document of a kind and account.
func document(t *testing.T, documents []policy.Document, kind access.Kind, account string) policy.Document {
	t.Helper()
	i := slices.IndexFunc(documents, func(d policy.Document) bool { return d.Kind == kind && d.Account == account })
	if i < 0 {
		t.Fatalf("find the %s document of account %s: there is none", kind, account)
	}
	return documents[i]
}

func TestDocumentsInvalidOptions(t *testing.T) {
	for _, tt := range []struct {
		name, example string
		options       policy.Options
		want          string
	}{
		{"mapping", "share-role", policy.Options{Mapping: []string{"absent"}}, `find mapping "absent"`},
		{"side", "share-role", policy.Options{Side: "left"}, `read side "left"`},
		{"style", "share-role", policy.Options{Style: "baroque"}, `read style "baroque"`},
		{"organization", "share-role", policy.Options{OrgID: "mine"}, `read organization "mine"`},
		{"endpoint", "share-role", policy.Options{VPCEndpoint: "mine"}, `read VPC endpoint "mine"`},
		{"session", "share-role", policy.Options{Principal: "arn:aws:sts::222222222222:assumed-role/task/1"}, "read principal"},
		{"key", "share-role", policy.Options{SourceKeys: []string{"alias/theirs"}}, `read source key "alias/theirs"`},
		{"no tags", "share-account", policy.Options{Style: policy.ABACStyle}, "style abac checks session tags"},
		{"no external id", "share-org", policy.Options{}, `find ExternalId of role "reader"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := tt.options
			if tt.name != "no external id" {
				o.ExternalID = accesstest.ExternalID
			}
			_, err := policy.Documents(accesstest.Load(t, tt.example), o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestUnreadableExternalIDIsAnError(t *testing.T) {
	gone := errors.New("no such file")
	_, err := policy.Documents(accesstest.Load(t, "share-org"), policy.Options{ExternalID: func(string) (string, error) { return "", gone }})
	if !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
}

func TestDocumentsBySide(t *testing.T) {
	w := accesstest.Ways()[4]
	o := w.Options
	o.ExternalID = accesstest.ExternalID
	accounts := map[access.Side][]string{}
	total := map[access.Side]int{}
	for _, side := range []access.Side{access.Both, access.Owner, access.Consumer} {
		o.Side = side
		documents, err := policy.Documents(accesstest.Load(t, w.Example), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range documents {
			accounts[side] = append(accounts[side], d.Account)
		}
		total[side] = len(documents)
		accounts[side] = slices.Compact(accounts[side])
	}
	want := map[access.Side][]string{
		access.Both: {accesstest.Owner, accesstest.Consumer, accesstest.Governance}, access.Owner: {accesstest.Owner}, access.Consumer: {accesstest.Consumer, accesstest.Governance},
	}
	if diff := cmp.Diff(want, accounts); diff != "" {
		t.Errorf("accounts by side (-want +got):\n%s", diff)
	}
	if total[access.Both] != total[access.Owner]+total[access.Consumer] {
		t.Errorf("got %v documents, want the documents of both sides to be the sum", total)
	}
}

func TestTooLargeDocumentIsAnError(t *testing.T) {
	_, err := policy.Documents(accesstest.ManyMappings(t, 400, "tenant-%04d/"), policy.Options{})
	tooLarge, ok := errors.AsType[*access.SizeError](err)
	if !ok {
		t.Fatalf("got %v, want a *SizeError", err)
	}
	if tooLarge.Document == "" || tooLarge.Size <= tooLarge.Limit || tooLarge.Advice == "" {
		t.Errorf("got %+v, want document, size, limit and advice", tooLarge)
	}
	// With the same prefix for all mappings the documents fit, because they name each prefix only
	// once.
	if _, err := policy.Documents(accesstest.ManyMappings(t, 20, "tenant-%04d/"), policy.Options{}); err != nil {
		t.Errorf("20 mappings: got %v, want documents", err)
	}
}

func TestPartitions(t *testing.T) {
	for _, tt := range []struct{ region, partition, via string }{
		{"us-west-2", "aws", "s3.us-west-2.amazonaws.com"},
		{"cn-north-1", "aws-cn", "s3.cn-north-1.amazonaws.com.cn"},
		{"us-gov-west-1", "aws-us-gov", "s3.us-gov-west-1.amazonaws.com"},
	} {
		t.Run(tt.region, func(t *testing.T) {
			text := strings.NewReplacer("us-west-2", tt.region, "arn:aws:", "arn:"+tt.partition+":").Replace(accesstest.Example(t, "share-account"))
			documents, err := policy.Documents(accesstest.Parse(t, text), policy.Options{Style: policy.AccountStyle})
			if err != nil {
				t.Fatal(err)
			}
			bundle, err := policy.JSONBundle(documents)
			if err != nil {
				t.Fatal(err)
			}
			if tt.partition != "aws" && strings.Contains(string(bundle), "arn:aws:") {
				t.Errorf("got ARNs of another partition:\n%s", bundle)
			}
			if !strings.Contains(string(bundle), `"`+tt.via+`"`) {
				t.Errorf("got no %s:\n%s", tt.via, bundle)
			}
		})
	}
}

// TestPrefixesAreNoPatterns checks that a prefix is plain text in policies: characters that a
// policy would treat as wildcards or variables are escaped.
func TestPrefixesAreNoPatterns(t *testing.T) {
	c := accesstest.ManyMappings(t, 1, "a*b?c${d}é日%d/")
	documents, err := policy.Documents(c, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := policy.JSON(documents)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.ContainsFunc(string(f.Text), func(r rune) bool { return r > 0x7e }) {
			t.Errorf("%s: got non-ASCII characters, want escapes:\n%s", f.Name, f.Text)
		}
	}
	bucket := document(t, documents, access.KindBucket, accesstest.Owner).Policy()
	identity := slices.IndexFunc(documents, func(d policy.Document) bool { return d.Kind == access.KindIdentity && d.Target != "" })
	allowed := func(key string) bool {
		return iam.Evaluate(iam.Request{
			Caller: iam.Caller{ARN: "arn:aws:sts::222222222222:assumed-role/r/s", RoleARN: "arn:aws:iam::222222222222:role/r", Account: accesstest.Consumer},
			Action: "s3:GetObject", Resource: "arn:aws:s3:::owner-data/" + key, Account: accesstest.Owner,
		}, iam.Policies{Resource: bucket, Kind: iam.Bucket, Identity: []*iam.Document{documents[identity].Policy()}}).Allowed
	}
	for key, want := range map[string]bool{
		"a*b?c${d}é日0/key": true, "aXXb?c${d}é日0/key": false, "a*bXc${d}é日0/key": false, "a*b?c": false,
	} {
		if got := allowed(key); got != want {
			t.Errorf("read %q: got allowed %t, want %t", key, got, want)
		}
	}
}

// TestVPCEndpoint checks that the Deny statement for the VPC endpoint applies only to readers that
// do not use the endpoint.
func TestVPCEndpoint(t *testing.T) {
	documents := policies(t, accesstest.Ways()[4], accesstest.ExternalID)
	policy := document(t, documents, access.KindBucket, accesstest.Owner).Policy()
	for _, tt := range []struct {
		name, account, through string
		denied                 bool
	}{
		{"through it", accesstest.Consumer, accesstest.Endpoint, false},
		{"through another", accesstest.Consumer, "vpce-1", true},
		{"past it", accesstest.Consumer, "", true},
		{"the owner", accesstest.Owner, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			facts := map[string][]string{"aws:PrincipalOrgID": {accesstest.Org}, "aws:PrincipalTag/access-project": {"lake"}, "s3:prefix": {"exports/"}}
			if tt.through != "" {
				facts["aws:SourceVpce"] = []string{tt.through}
			}
			d := iam.Evaluate(iam.Request{
				Caller: iam.Caller{ARN: "arn:aws:iam::" + tt.account + ":user/u", Account: tt.account},
				Action: "s3:GetObject", Resource: "arn:aws:s3:::owner-data/exports/key", Account: accesstest.Owner, Context: facts,
			}, iam.Policies{Resource: policy, Kind: iam.Bucket})
			if d.Explicit != tt.denied {
				t.Errorf("got an explicit deny %t, want %t", d.Explicit, tt.denied)
			}
		})
	}
}

// TestGuardsOfTheDestination checks that the policy of the destination bucket denies writes with
// another key, writes with another encryption, and requests without TLS. It must not deny a write
// without an encryption header, because uploads of parts have none.
func TestGuardsOfTheDestination(t *testing.T) {
	documents := policies(t, accesstest.Ways()[1], accesstest.ExternalID)
	policy := document(t, documents, access.KindBucket, accesstest.Consumer).Policy()
	const sse, key = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
	for _, tt := range []struct {
		name   string
		facts  map[string][]string
		denied bool
	}{
		{"the key", map[string][]string{sse: {"aws:kms"}, key: {accesstest.ExampleKey}}, false},
		{"another key", map[string][]string{sse: {"aws:kms"}, key: {accesstest.ExampleKey + "0"}}, true},
		{"no key", map[string][]string{sse: {"aws:kms"}}, true},
		{"AES256", map[string][]string{sse: {"AES256"}}, true},
		{"a part", nil, false},
		{"without TLS", map[string][]string{"aws:SecureTransport": {"false"}, sse: {"aws:kms"}, key: {accesstest.ExampleKey}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := iam.Evaluate(iam.Request{
				Caller: iam.Caller{ARN: "arn:aws:iam::222222222222:user/u", Account: accesstest.Consumer},
				Action: "s3:PutObject", Resource: "arn:aws:s3:::consumer-copy/exports/key", Account: accesstest.Consumer, Context: tt.facts,
			}, iam.Policies{Resource: policy, Kind: iam.Bucket})
			if d.Explicit != tt.denied {
				t.Errorf("got an explicit deny %t, want %t", d.Explicit, tt.denied)
			}
		})
	}
}
