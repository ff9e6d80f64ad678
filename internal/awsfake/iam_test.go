package awsfake_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// must fails the test when IAM refuses.
func must(tb testing.TB, a iamAnswer) iamAnswer {
	tb.Helper()
	if a.status != http.StatusOK {
		tb.Fatalf("got %v, want 200", a)
	}
	return a
}

const listsAndCopies = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":"arn:aws:s3:::consumer-copy"}]}`

// lists reports whether a caller may list the destination.
func lists(t *testing.T, c aws.Config) bool {
	t.Helper()
	_, err := s3Client(c).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("consumer-copy")})
	if got := code(err); got != "" && got != "AccessDenied" {
		t.Fatalf("list: %v", err)
	}
	return err == nil
}

// TestRoleOverTheWire is the life of a role as getting-started has it: what IAM stores is what STS and S3 go by, at once.
func TestRoleOverTheWire(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	admin := w.userConfig(w.base)
	trusts := strings.Replace(trust("222222222222").String(), `"Action"`, `"Condition":{"StringEquals":{"sts:ExternalId":"abc"}},"Action"`, 1)
	created := must(t, askIAM(t, w, admin, "CreateRole", "RoleName", "copier", "AssumeRolePolicyDocument", trusts, "Description", "copies", "MaxSessionDuration", "7200",
		"Tags.member.1.Key", "team", "Tags.member.1.Value", "data"))
	const arn = "arn:aws:iam::222222222222:role/copier"
	if got := created.text("Arn"); got != arn {
		t.Errorf("created %s, want %s", got, arn)
	}
	assume := func(externalID string) (aws.Config, error) {
		out, err := sts.NewFromConfig(admin).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(arn), RoleSessionName: aws.String("test"), ExternalId: &externalID})
		if err != nil {
			return aws.Config{}, err
		}
		return w.config(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken), nil
	}
	if _, err := assume("wrong"); code(err) != "AccessDenied" {
		t.Errorf("a wrong external id: got %v, want AccessDenied", err)
	}
	session, err := assume("abc")
	if err != nil {
		t.Fatal(err)
	}
	if lists(t, session) {
		t.Error("a role without policies lists")
	}
	must(t, askIAM(t, w, admin, "PutRolePolicy", "RoleName", "copier", "PolicyName", "syncd", "PolicyDocument", listsAndCopies))
	if !lists(t, session) {
		t.Error("the policy is not in force")
	}
	got := must(t, askIAM(t, w, admin, "GetRole", "RoleName", "copier"))
	if got.text("MaxSessionDuration") != "7200" || got.text("Description") != "copies" || !strings.Contains(got.text("AssumeRolePolicyDocument"), "sts:ExternalId") ||
		!strings.Contains(got.body, "<Key>team</Key><Value>data</Value>") {
		t.Errorf("got role %s", got.body)
	}
	if got := must(t, askIAM(t, w, admin, "GetRolePolicy", "RoleName", "copier", "PolicyName", "syncd")); !strings.Contains(got.text("PolicyDocument"), "consumer-copy") {
		t.Errorf("got policy %s", got.body)
	}
	if got := must(t, askIAM(t, w, admin, "ListRolePolicies", "RoleName", "copier")); got.text("member") != "syncd" {
		t.Errorf("got policies %s", got.body)
	}
	must(t, askIAM(t, w, admin, "UpdateAssumeRolePolicy", "RoleName", "copier", "PolicyDocument", trust(w.base.ARN).String()))
	if _, err := assume("anything"); err != nil {
		t.Errorf("the new trust policy asks for no external id: got %v", err)
	}
	must(t, askIAM(t, w, admin, "DeleteRolePolicy", "RoleName", "copier", "PolicyName", "syncd"))
	if lists(t, session) {
		t.Error("the deleted policy is in force")
	}
	must(t, askIAM(t, w, admin, "DeleteRole", "RoleName", "copier"))
	if _, err := assume("abc"); code(err) != "AccessDenied" {
		t.Errorf("the role is deleted: got %v, want AccessDenied", err)
	}
}

// TestRolesAreListed a page at a time, those of the caller's account only.
func TestRolesAreListed(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	admin := w.userConfig(w.base)
	for _, name := range []string{"b", "a", "c"} {
		must(t, askIAM(t, w, admin, "CreateRole", "RoleName", name, "Path", "/team/", "AssumeRolePolicyDocument", trust(w.base.ARN).String()))
	}
	w.owner.CreateRole("theirs", trust(w.base.ARN), awsfake.RoleOptions{Path: "/team/"})
	var names []string
	for marker := ""; ; {
		page := must(t, askIAM(t, w, admin, "ListRoles", "PathPrefix", "/team/", "MaxItems", "2", "Marker", marker))
		for part := range strings.SplitSeq(page.body, "<RoleName>") {
			if name, _, ok := strings.Cut(part, "</RoleName>"); ok {
				names = append(names, name)
			}
		}
		if marker = page.text("Marker"); page.text("IsTruncated") != "true" {
			break
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, names); diff != "" {
		t.Error(diff)
	}
}

// TestManagedPolicies are in force where they are attached, in the version that is the default.
func TestManagedPolicies(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	admin := w.userConfig(w.base)
	plain := w.consumer.CreateUser("plain")
	arn := must(t, askIAM(t, w, admin, "CreatePolicy", "PolicyName", "lists", "PolicyDocument", listsAndCopies)).text("Arn")
	attach := func() {
		must(t, askIAM(t, w, admin, "AttachUserPolicy", "UserName", "plain", "PolicyArn", arn))
	}
	denies := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
	for _, step := range []struct {
		name string
		do   func()
		want bool
	}{
		{"attached", attach, true},
		{"another version is the default", func() {
			must(t, askIAM(t, w, admin, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", denies, "SetAsDefault", "true"))
		}, false},
		{"the first one again", func() {
			must(t, askIAM(t, w, admin, "SetDefaultPolicyVersion", "PolicyArn", arn, "VersionId", "v1"))
			must(t, askIAM(t, w, admin, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v2"))
		}, true},
		{"detached", func() { must(t, askIAM(t, w, admin, "DetachUserPolicy", "UserName", "plain", "PolicyArn", arn)) }, false},
		{"a policy of AWS", func() {
			must(t, askIAM(t, w, admin, "AttachUserPolicy", "UserName", "plain", "PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"))
		}, true},
		{"within a boundary", func() {
			other := must(t, askIAM(t, w, admin, "CreatePolicy", "PolicyName", "little", "PolicyDocument", strings.Replace(listsAndCopies, "consumer-copy", "other", 1))).text("Arn")
			must(t, askIAM(t, w, admin, "PutUserPermissionsBoundary", "UserName", "plain", "PermissionsBoundary", other))
		}, false},
		{"without the boundary", func() { must(t, askIAM(t, w, admin, "DeleteUserPermissionsBoundary", "UserName", "plain")) }, true},
	} {
		step.do()
		if got := lists(t, w.userConfig(plain)); got != step.want {
			t.Errorf("%s: got list allowed %v, want %v", step.name, got, step.want)
		}
	}
	must(t, askIAM(t, w, admin, "DeletePolicy", "PolicyArn", arn))
}

// TestUserOverTheWire: a user signs with keys that are created, until they are deleted.
func TestUserOverTheWire(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	admin := w.userConfig(w.base)
	must(t, askIAM(t, w, admin, "CreateUser", "UserName", "job"))
	keys := must(t, askIAM(t, w, admin, "CreateAccessKey", "UserName", "job"))
	job := w.config(keys.text("AccessKeyId"), keys.text("SecretAccessKey"), "")
	who, err := sts.NewFromConfig(job).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *who.Arn != "arn:aws:iam::222222222222:user/job" {
		t.Fatalf("got %+v, %v", who, err)
	}
	must(t, askIAM(t, w, admin, "PutUserPolicy", "UserName", "job", "PolicyName", "p", "PolicyDocument", listsAndCopies))
	if !lists(t, job) {
		t.Error("the policy is not in force")
	}
	if got := must(t, askIAM(t, w, admin, "ListAccessKeys", "UserName", "job")); !strings.Contains(got.body, keys.text("AccessKeyId")) || strings.Contains(got.body, keys.text("SecretAccessKey")) {
		t.Errorf("got keys %s", got.body)
	}
	must(t, askIAM(t, w, admin, "DeleteAccessKey", "UserName", "job", "AccessKeyId", keys.text("AccessKeyId")))
	if _, err := sts.NewFromConfig(job).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); code(err) != "InvalidClientTokenId" {
		t.Errorf("got %v, want InvalidClientTokenId", err)
	}
	must(t, askIAM(t, w, admin, "DeleteUserPolicy", "UserName", "job", "PolicyName", "p"))
	must(t, askIAM(t, w, admin, "DeleteUser", "UserName", "job"))
}

// TestIAMRefusals holds what IAM refuses, and its words, to a golden file.
func TestIAMRefusals(t *testing.T) {
	w := newWorld(t, awsfake.Options{Seed: 1})
	admin, plain, other := w.userConfig(w.base), w.userConfig(w.consumer.CreateUser("plain")), w.userConfig(w.owner.AdminUser())
	good, long := trust("222222222222").String(), `{"Version":"2012-10-17","Statement":[`+strings.Repeat(`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::consumer-copy"},`, 140)+
		`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`
	must(t, askIAM(t, w, admin, "CreateRole", "RoleName", "held", "AssumeRolePolicyDocument", good))
	must(t, askIAM(t, w, admin, "PutRolePolicy", "RoleName", "held", "PolicyName", "p", "PolicyDocument", listsAndCopies))
	must(t, askIAM(t, w, admin, "CreatePolicy", "PolicyName", "held", "PolicyDocument", listsAndCopies))
	must(t, askIAM(t, w, admin, "CreateRole", "RoleName", "attached", "AssumeRolePolicyDocument", good))
	const held = "arn:aws:iam::222222222222:policy/held"
	must(t, askIAM(t, w, admin, "AttachRolePolicy", "RoleName", "attached", "PolicyArn", held))
	var got strings.Builder
	for _, tt := range []struct {
		who        string
		caller     aws.Config
		action     string
		parameters []string
	}{
		{"a user without policies", plain, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", good}},
		{"a user without policies", plain, "ListRoles", nil},
		{"a user without policies", plain, "GetRole", []string{"RoleName", "held"}},
		{"the other account's administrator", other, "GetRole", []string{"RoleName", "held"}},
		{"the other account's administrator", other, "PutRolePolicy", []string{"RoleName", "held", "PolicyName", "p", "PolicyDocument", listsAndCopies}},
		{"the other account's administrator", other, "AttachUserPolicy", []string{"UserName", "x", "PolicyArn", held}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "held", "AssumeRolePolicyDocument", good}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "HELD", "AssumeRolePolicyDocument", good}},
		{"the administrator", admin, "CreateRole", []string{"AssumeRolePolicyDocument", good}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "a b", "AssumeRolePolicyDocument", good}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", strings.Repeat("n", 65), "AssumeRolePolicyDocument", good}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new"}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", `{"Version":`}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", listsAndCopies}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", trust("arn:aws:iam::222222222222:role/absent").String()}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", trust("999999999999").String()}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", good, "MaxSessionDuration", "60"}},
		{"the administrator", admin, "UpdateAssumeRolePolicy", []string{"RoleName", "absent", "PolicyDocument", good}},
		{"the administrator", admin, "GetRole", []string{"RoleName", "absent"}},
		{"the administrator", admin, "PutRolePolicy", []string{"RoleName", "absent", "PolicyName", "p", "PolicyDocument", listsAndCopies}},
		{"the administrator", admin, "PutRolePolicy", []string{"RoleName", "held", "PolicyName", "q", "PolicyDocument", good}},
		{"the administrator", admin, "PutRolePolicy", []string{"RoleName", "held", "PolicyName", "q", "PolicyDocument", long}},
		{"the administrator", admin, "GetRolePolicy", []string{"RoleName", "held", "PolicyName", "absent"}},
		{"the administrator", admin, "DeleteRolePolicy", []string{"RoleName", "held", "PolicyName", "absent"}},
		{"the administrator", admin, "DeleteRole", []string{"RoleName", "held"}},
		{"the administrator", admin, "DeleteRole", []string{"RoleName", "attached"}},
		{"the administrator", admin, "AttachRolePolicy", []string{"RoleName", "held", "PolicyArn", "arn:aws:iam::222222222222:policy/absent"}},
		{"the administrator", admin, "DetachRolePolicy", []string{"RoleName", "held", "PolicyArn", held}},
		{"the administrator", admin, "CreatePolicy", []string{"PolicyName", "held", "PolicyDocument", listsAndCopies}},
		{"the administrator", admin, "CreatePolicy", []string{"PolicyName", "new", "PolicyDocument", long}},
		{"the administrator", admin, "DeletePolicy", []string{"PolicyArn", held}},
		{"the administrator", admin, "DeletePolicy", []string{"PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"}},
		{"the administrator", admin, "DeletePolicyVersion", []string{"PolicyArn", held, "VersionId", "v1"}},
		{"the administrator", admin, "CreateUser", []string{"UserName", "plain"}},
		{"the administrator", admin, "DeleteUser", []string{"UserName", "plain"}},
		{"the administrator", admin, "DeleteAccessKey", []string{"UserName", "plain", "AccessKeyId", "AKIAABSENT"}},
		{"the administrator", admin, "CreateGroup", []string{"GroupName", "g"}},
	} {
		args := make([]string, 0, len(tt.parameters))
		for i := 0; i+1 < len(tt.parameters); i += 2 {
			value := tt.parameters[i+1]
			if len(value) > 45 {
				value = value[:20] + "..." + value[len(value)-20:]
			}
			args = append(args, tt.parameters[i]+"="+strings.Join(strings.Fields(value), " "))
		}
		fmt.Fprintf(&got, "%s: %s %s\n\t%v\n", tt.who, tt.action, strings.Join(args, " "), askIAM(t, w, tt.caller, tt.action, tt.parameters...))
	}
	golden(t, "iam-refusals.txt", got.String())
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestServicesThatAreNotThere refuse in the form that the client of such a service reads, and name what was asked for.
func TestServicesThatAreNotThere(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	admin := w.userConfig(w.base)
	form := askForm(t, w, admin, "ec2", "DescribeInstances")
	if form.status != http.StatusNotImplemented || form.code != "NotImplemented" || !strings.Contains(form.message, "ec2 DescribeInstances") {
		t.Errorf("a form: got %v, want 501 that names ec2 DescribeInstances", form)
	}
	object := post(t, w, admin, "ssm", `{"Name":"x"}`, map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"})
	if object.status != http.StatusNotImplemented || !strings.Contains(object.body, `"__type":"NotImplemented"`) || !strings.Contains(object.body, "ssm GetParameter") {
		t.Errorf("JSON: got %d %s, want 501 that names ssm GetParameter", object.status, object.body)
	}
}
