package sts_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
	"syncd/internal/iam"
)

// TestTagsAndIdentityNeedBothPolicies checks that, across accounts, both the trust policy and the
// caller's own policy must allow each action.
func TestTagsAndIdentityNeedBothPolicies(t *testing.T) {
	for _, tt := range []struct {
		name, trust, identity string
		want                  string // the denied action
	}{
		{"both", `"sts:*"`, `"sts:*"`, ""},
		{"no sts:TagSession in the trust policy", `["sts:AssumeRole","sts:SetSourceIdentity"]`, `"sts:*"`, "sts:TagSession"},
		{"no sts:TagSession in the identity policy", `"sts:*"`, `["sts:AssumeRole","sts:SetSourceIdentity"]`, "sts:TagSession"},
		{"no sts:SetSourceIdentity in the trust policy", `["sts:AssumeRole","sts:TagSession"]`, `"sts:*"`, "sts:SetSourceIdentity"},
		{"no sts:SetSourceIdentity in the identity policy", `"sts:*"`, `["sts:AssumeRole","sts:TagSession"]`, "sts:SetSourceIdentity"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			user := w.Consumer.CreateUser("plain", iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":`+tt.identity+`,"Resource":"*"}]}`))
			role := w.Owner.CreateRole("reader", iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":`+tt.trust+`}]}`), awsfake.RoleOptions{})
			_, err := sts.NewFromConfig(w.UserConfig(user)).AssumeRole(t.Context(), &sts.AssumeRoleInput{
				RoleArn: &role.ARN, RoleSessionName: aws.String("test"), Tags: tags("a", "1"), SourceIdentity: aws.String("someone"),
			})
			if tt.want == "" && err != nil || tt.want != "" && !strings.Contains(awsfaketest.Message(err), "to perform: "+tt.want+" on") {
				t.Errorf("got %v, want %q refused", err, tt.want)
			}
		})
	}
}

// TestSourceIdentityPersists checks that later sessions in a chain keep the source identity, and
// that the trust policy of every role in the chain must allow sts:SetSourceIdentity.
func TestSourceIdentityPersists(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	open := w.Owner.CreateRole("open", awsfaketest.Trust("222222222222"), awsfake.RoleOptions{})
	strict := w.Owner.CreateRole("strict", iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}]}`), awsfake.RoleOptions{})
	c := w.Assume(t, func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("someone") })
	out, err := sts.NewFromConfig(c).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &open.ARN, RoleSessionName: aws.String("test")})
	if err != nil || aws.ToString(out.SourceIdentity) != "someone" {
		t.Errorf("open: %v, %q", err, aws.ToString(out.SourceIdentity))
	}
	if got := awsfaketest.Message(awsfaketest.AssumeAs(t, c, strict)); !strings.Contains(got, "sts:SetSourceIdentity") {
		t.Errorf("strict: got %q", got)
	}
}

func TestPackedPolicyLimit(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	target := w.Owner.CreateRole("reader", awsfaketest.Trust("222222222222"), awsfake.RoleOptions{})
	w.Cloud.SetPackedPolicyLimit(100)
	assume := func(c aws.Config, value int) (int32, string) {
		out, err := sts.NewFromConfig(c).AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: &target.ARN, RoleSessionName: aws.String("test"), Tags: tags("k", strings.Repeat("v", value)),
		})
		if err != nil {
			return 0, awsfaketest.Code(err)
		}
		return aws.ToInt32(out.PackedPolicySize), "" //nolint:staticcheck // deprecated, but the limit is about it
	}
	user := w.UserConfig(w.Base)
	if size, got := assume(user, 73); size != 74 || got != "" {
		t.Errorf("74 bytes: got %d%% %q", size, got)
	}
	if _, got := assume(user, 100); got != "PackedPolicyTooLarge" {
		t.Errorf("101 bytes: got %q", got)
	}
	inherits := w.Assume(t, func(in *sts.AssumeRoleInput) {
		in.Tags, in.TransitiveTagKeys = tags("cluster", strings.Repeat("c", 43)), []string{"cluster"}
	})
	if _, got := assume(inherits, 73); got != "PackedPolicyTooLarge" {
		t.Errorf("74 bytes on top of 50 inherited: got %q", got)
	}
	w.Cloud.SetPackedPolicyLimit(0)
	if size, got := assume(inherits, 200); size != 0 || got != "" {
		t.Errorf("no limit: got %d%% %q", size, got)
	}
}
