package sts_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
	"syncd/internal/iam"
)

func TestAssumeRole(t *testing.T) {
	statement := func(actions, conditions string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":%s,"Condition":{%s}}`, actions, conditions)
	}
	policy := func(statements ...string) *iam.Document {
		return iam.MustParse(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
	}
	external := statement(`"sts:AssumeRole"`, `"StringEquals":{"sts:ExternalId":"secret-1"}`)
	tagging := statement(`"sts:TagSession"`, `"StringEquals":{"aws:RequestTag/project":"p1"}`)
	everything := statement(`["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`, "")
	tests := []struct {
		name   string
		trust  *iam.Document
		change func(*sts.AssumeRoleInput)
		want   string // code and denied action
	}{
		{"trusted account", policy(everything), func(*sts.AssumeRoleInput) {}, ""},
		{"no trust", &iam.Document{}, func(*sts.AssumeRoleInput) {}, "AccessDenied sts:AssumeRole"},
		{"role that does not exist", policy(everything), func(in *sts.AssumeRoleInput) {
			in.RoleArn = aws.String("arn:aws:iam::111111111111:role/absent")
		}, "AccessDenied sts:AssumeRole"},
		{"right external id", policy(external), func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("secret-1") }, ""},
		{"wrong external id", policy(external), func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("secret-2") }, "AccessDenied sts:AssumeRole"},
		{"no external id", policy(external), func(*sts.AssumeRoleInput) {}, "AccessDenied sts:AssumeRole"},
		{"tags allowed", policy(external, tagging), func(in *sts.AssumeRoleInput) {
			in.ExternalId, in.Tags = aws.String("secret-1"), tags("project", "p1")
		}, ""},
		{"tags without sts:TagSession", policy(external), func(in *sts.AssumeRoleInput) {
			in.ExternalId, in.Tags = aws.String("secret-1"), tags("project", "p1")
		}, "AccessDenied sts:TagSession"},
		{
			"tags and external id in one statement", policy(statement(`["sts:AssumeRole","sts:TagSession"]`, `"StringEquals":{"sts:ExternalId":"secret-1"}`)),
			func(in *sts.AssumeRoleInput) { in.ExternalId, in.Tags = aws.String("secret-1"), tags("project", "p1") }, "AccessDenied sts:TagSession",
		},
		{"wrong tag value", policy(external, tagging), func(in *sts.AssumeRoleInput) {
			in.ExternalId, in.Tags = aws.String("secret-1"), tags("project", "p2")
		}, "AccessDenied sts:TagSession"},
		{"source identity without permission", policy(external), func(in *sts.AssumeRoleInput) {
			in.ExternalId, in.SourceIdentity = aws.String("secret-1"), aws.String("someone")
		}, "AccessDenied sts:SetSourceIdentity"},
		{"source identity", policy(everything), func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("someone") }, ""},
		{"tag keys that differ in case", policy(everything), func(in *sts.AssumeRoleInput) { in.Tags = tags("a", "1", "A", "2") }, "InvalidParameterValue"},
		{"transitive key that is no tag", policy(everything), func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"x"} }, "InvalidParameterValue"},
		{"too long for the role", policy(everything), func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7201) }, "ValidationError"},
		{"as long as the role allows", policy(everything), func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) }, ""},
		{"too short", policy(everything), func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, "ValidationError"},
		{"bad session name", policy(everything), func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError"},
		{"bad session policy", policy(everything), func(in *sts.AssumeRoleInput) { in.Policy = aws.String(`{"Statement":1}`) }, "MalformedPolicyDocument"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			role := w.Owner.CreateRole("reader", tt.trust, awsfake.RoleOptions{MaxSession: 2 * time.Hour})
			in := &sts.AssumeRoleInput{RoleArn: &role.ARN, RoleSessionName: aws.String("test")}
			tt.change(in)
			out, err := sts.NewFromConfig(w.UserConfig(w.Base)).AssumeRole(t.Context(), in)
			got := awsfaketest.Code(err)
			if _, action, denied := strings.Cut(awsfaketest.Message(err), "to perform: "); denied {
				action, _, _ = strings.Cut(action, " ")
				got += " " + action
			}
			if got != tt.want {
				t.Fatalf("got %q (%v), want %q", got, err, tt.want)
			}
			if want := "arn:aws:sts::111111111111:assumed-role/reader/test"; err == nil && *out.AssumedRoleUser.Arn != want {
				t.Errorf("got %q, want %q", *out.AssumedRoleUser.Arn, want)
			}
		})
	}
}

func tags(pairs ...string) (out []types.Tag) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return out
}

// TestCrossAccountAssumeNeedsBothPolicies checks that both the role's trust policy and the caller's
// identity policy must allow a cross-account AssumeRole.
func TestCrossAccountAssumeNeedsBothPolicies(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	user := w.Consumer.CreateUser("plain")
	role := w.Owner.CreateRole("reader", awsfaketest.Trust("222222222222"), awsfake.RoleOptions{})
	assume := func() string {
		_, err := sts.NewFromConfig(w.UserConfig(user)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role.ARN, RoleSessionName: aws.String("test")})
		return awsfaketest.Code(err)
	}
	if got := assume(); got != "AccessDenied" {
		t.Errorf("without an identity policy: got %q", got)
	}
	user.SetPolicies(awsfaketest.AllowAll())
	if got := assume(); got != "" {
		t.Errorf("with an identity policy: got %q", got)
	}
}

func TestChain(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	hop := w.Owner.CreateRole("hop", awsfaketest.Trust("222222222222"), awsfake.RoleOptions{MaxSession: 12 * time.Hour, Tags: map[string]string{"project": "role's own"}})
	strict := w.Owner.CreateRole("strict", iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}]}`), awsfake.RoleOptions{})
	transitive := func(in *sts.AssumeRoleInput) {
		in.Tags, in.TransitiveTagKeys = tags("project", "p1", "team", "t1"), []string{"project"}
		in.SourceIdentity = aws.String("someone")
	}
	tests := []struct {
		name   string
		first  func(*sts.AssumeRoleInput)
		role   *awsfake.Role
		change func(*sts.AssumeRoleInput)
		want   string
	}{
		{"one hour is the cap", nil, hop, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, "ValidationError"},
		{"one hour", nil, hop, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3600) }, ""},
		{"inherited tags need sts:TagSession though none are passed", transitive, strict, nil, "AccessDenied"},
		{"nothing inherited", nil, strict, nil, ""},
		{"a transitive key overridden", transitive, hop, func(in *sts.AssumeRoleInput) { in.Tags = tags("Project", "p2") }, "InvalidParameterValue"},
		{"another source identity", transitive, hop, func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("other") }, "AccessDenied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &sts.AssumeRoleInput{RoleArn: &tt.role.ARN, RoleSessionName: aws.String("second")}
			if tt.change != nil {
				tt.change(in)
			}
			_, err := sts.NewFromConfig(w.Assume(t, tt.first)).AssumeRole(t.Context(), in)
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

// TestTransitiveTagsReachPolicies checks that a transitive session tag of the first role overrides
// a tag of the second role with the same key.
func TestTransitiveTagsReachPolicies(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	hop := w.Owner.CreateRole("hop", awsfaketest.Trust("222222222222"), awsfake.RoleOptions{
		Tags: map[string]string{"Project": "role's own"},
		Policies: []*iam.Document{iam.MustParse(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::${aws:PrincipalTag/project}-data"}]}`)},
	})
	w.Source.SetPolicy(nil)
	first := w.Assume(t, func(in *sts.AssumeRoleInput) {
		in.Tags, in.TransitiveTagKeys = tags("project", "owner"), []string{"project"}
	})
	list := func(c aws.Config) string {
		out, err := sts.NewFromConfig(c).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &hop.ARN, RoleSessionName: aws.String("second")})
		if err != nil {
			t.Fatal(err)
		}
		second := w.Config(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
		_, err = awsfaketest.S3Client(second).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data")})
		return awsfaketest.Code(err)
	}
	if got := list(first); got != "" {
		t.Errorf("with the transitive tag: got %q", got)
	}
	if got := list(w.Assume(t, nil)); got != "AccessDenied" {
		t.Errorf("with the role's own tag: got %q", got)
	}
}

func TestSessionPolicyNarrows(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Destination.Put("a", awsfake.BytesBody(nil), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.Assume(t, func(in *sts.AssumeRoleInput) {
		in.Policy = aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`)
	}))
	_, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("consumer-copy")})
	if err != nil {
		t.Errorf("in the session policy: %v", err)
	}
	_, err = client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("a")})
	if !strings.Contains(awsfaketest.Message(err), "because no session policy allows the s3:GetObject action") {
		t.Errorf("not in the session policy: got %q", awsfaketest.Message(err))
	}
}

func TestCallerIdentity(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	out, err := sts.NewFromConfig(w.Assume(t, nil)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{*out.Account, *out.Arn}
	if diff := cmp.Diff([]string{"222222222222", "arn:aws:sts::222222222222:assumed-role/syncd/test"}, got); diff != "" {
		t.Error(diff)
	}
}
