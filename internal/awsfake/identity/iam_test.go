package identity_test

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
	"syncd/internal/awsfake/awsfaketest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// lists reports whether a caller can list the destination.
func lists(t *testing.T, c aws.Config) bool {
	t.Helper()
	_, err := awsfaketest.S3Client(c).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("consumer-copy")})
	if got := awsfaketest.Code(err); got != "" && got != "AccessDenied" {
		t.Fatalf("list: %v", err)
	}
	return err == nil
}

// TestRoleLifecycle checks that a role can be created, used and deleted as in
// docs/getting-started.md, and that changes in IAM take effect in STS and S3 at once.
func TestRoleLifecycle(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	admin := w.UserConfig(w.Base)
	trusts := strings.Replace(awsfaketest.Trust("222222222222").String(), `"Action"`, `"Condition":{"StringEquals":{"sts:ExternalId":"abc"}},"Action"`, 1)
	created := awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "CreateRole", "RoleName", "copier", "AssumeRolePolicyDocument", trusts, "Description", "copies", "MaxSessionDuration", "7200",
		"Tags.member.1.Key", "team", "Tags.member.1.Value", "data"))
	const arn = "arn:aws:iam::222222222222:role/copier"
	if got := created.Text("Arn"); got != arn {
		t.Errorf("created %s, want %s", got, arn)
	}
	assume := func(externalID string) (aws.Config, error) {
		out, err := sts.NewFromConfig(admin).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(arn), RoleSessionName: aws.String("test"), ExternalId: &externalID})
		if err != nil {
			return aws.Config{}, err
		}
		return w.Config(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken), nil
	}
	if _, err := assume("wrong"); awsfaketest.Code(err) != "AccessDenied" {
		t.Errorf("a wrong external id: got %v, want AccessDenied", err)
	}
	session, err := assume("abc")
	if err != nil {
		t.Fatal(err)
	}
	if lists(t, session) {
		t.Error("a role without policies lists")
	}
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "PutRolePolicy", "RoleName", "copier", "PolicyName", "syncd", "PolicyDocument", awsfaketest.ListsAndCopies))
	if !lists(t, session) {
		t.Error("the policy is not in force")
	}
	got := awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "GetRole", "RoleName", "copier"))
	if got.Text("MaxSessionDuration") != "7200" || got.Text("Description") != "copies" || !strings.Contains(got.Text("AssumeRolePolicyDocument"), "sts:ExternalId") ||
		!strings.Contains(got.Body, "<Key>team</Key><Value>data</Value>") {
		t.Errorf("got role %s", got.Body)
	}
	if got := awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "GetRolePolicy", "RoleName", "copier", "PolicyName", "syncd")); !strings.Contains(got.Text("PolicyDocument"), "consumer-copy") {
		t.Errorf("got policy %s", got.Body)
	}
	if got := awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "ListRolePolicies", "RoleName", "copier")); got.Text("member") != "syncd" {
		t.Errorf("got policies %s", got.Body)
	}
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "UpdateAssumeRolePolicy", "RoleName", "copier", "PolicyDocument", awsfaketest.Trust(w.Base.ARN).String()))
	if _, err := assume("anything"); err != nil {
		t.Errorf("the new trust policy asks for no external id: got %v", err)
	}
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "DeleteRolePolicy", "RoleName", "copier", "PolicyName", "syncd"))
	if lists(t, session) {
		t.Error("the deleted policy is in force")
	}
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "DeleteRole", "RoleName", "copier"))
	if _, err := assume("abc"); awsfaketest.Code(err) != "AccessDenied" {
		t.Errorf("the role is deleted: got %v, want AccessDenied", err)
	}
}

// TestRolesAreListed checks that listings have pages and contain only roles of the caller's
// account.
func TestRolesAreListed(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	admin := w.UserConfig(w.Base)
	for _, name := range []string{"b", "a", "c"} {
		awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "CreateRole", "RoleName", name, "Path", "/team/", "AssumeRolePolicyDocument", awsfaketest.Trust(w.Base.ARN).String()))
	}
	w.Owner.CreateRole("theirs", awsfaketest.Trust(w.Base.ARN), awsfake.RoleOptions{Path: "/team/"})
	var names []string
	for marker := ""; ; {
		page := awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "ListRoles", "PathPrefix", "/team/", "MaxItems", "2", "Marker", marker))
		for part := range strings.SplitSeq(page.Body, "<RoleName>") {
			if name, _, ok := strings.Cut(part, "</RoleName>"); ok {
				names = append(names, name)
			}
		}
		if marker = page.Text("Marker"); page.Text("IsTruncated") != "true" {
			break
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, names); diff != "" {
		t.Error(diff)
	}
}

// TestManagedPolicies checks that the default version of a managed policy applies to the users and
// roles that it is attached to.
func TestManagedPolicies(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	admin := w.UserConfig(w.Base)
	plain := w.Consumer.CreateUser("plain")
	arn := awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "CreatePolicy", "PolicyName", "lists", "PolicyDocument", awsfaketest.ListsAndCopies)).Text("Arn")
	attach := func() {
		awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "AttachUserPolicy", "UserName", "plain", "PolicyArn", arn))
	}
	denies := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
	for _, step := range []struct {
		name string
		do   func()
		want bool
	}{
		{"attached", attach, true},
		{"another default version", func() {
			awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", denies, "SetAsDefault", "true"))
		}, false},
		{"the first version is the default again", func() {
			awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "SetDefaultPolicyVersion", "PolicyArn", arn, "VersionId", "v1"))
			awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v2"))
		}, true},
		{"detached", func() {
			awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "DetachUserPolicy", "UserName", "plain", "PolicyArn", arn))
		}, false},
		{"an AWS managed policy", func() {
			awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "AttachUserPolicy", "UserName", "plain", "PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"))
		}, true},
		{"with a boundary", func() {
			other := awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "CreatePolicy", "PolicyName", "little", "PolicyDocument", strings.Replace(awsfaketest.ListsAndCopies, "consumer-copy", "other", 1))).Text("Arn")
			awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "PutUserPermissionsBoundary", "UserName", "plain", "PermissionsBoundary", other))
		}, false},
		{"without the boundary", func() {
			awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "DeleteUserPermissionsBoundary", "UserName", "plain"))
		}, true},
	} {
		step.do()
		if got := lists(t, w.UserConfig(plain)); got != step.want {
			t.Errorf("%s: got list allowed %v, want %v", step.name, got, step.want)
		}
	}
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "DeletePolicy", "PolicyArn", arn))
}

// TestUserLifecycle checks that a user can sign with created keys until they are deleted.
func TestUserLifecycle(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	admin := w.UserConfig(w.Base)
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "CreateUser", "UserName", "job"))
	keys := awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "CreateAccessKey", "UserName", "job"))
	job := w.Config(keys.Text("AccessKeyId"), keys.Text("SecretAccessKey"), "")
	who, err := sts.NewFromConfig(job).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *who.Arn != "arn:aws:iam::222222222222:user/job" {
		t.Fatalf("got %+v, %v", who, err)
	}
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "PutUserPolicy", "UserName", "job", "PolicyName", "p", "PolicyDocument", awsfaketest.ListsAndCopies))
	if !lists(t, job) {
		t.Error("the policy is not in force")
	}
	if got := awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "ListAccessKeys", "UserName", "job")); !strings.Contains(got.Body, keys.Text("AccessKeyId")) || strings.Contains(got.Body, keys.Text("SecretAccessKey")) {
		t.Errorf("got keys %s", got.Body)
	}
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "DeleteAccessKey", "UserName", "job", "AccessKeyId", keys.Text("AccessKeyId")))
	if _, err := sts.NewFromConfig(job).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); awsfaketest.Code(err) != "InvalidClientTokenId" {
		t.Errorf("got %v, want InvalidClientTokenId", err)
	}
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "DeleteUserPolicy", "UserName", "job", "PolicyName", "p"))
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "DeleteUser", "UserName", "job"))
}

// TestIAMRefusals compares IAM's errors with a golden file.
func TestIAMRefusals(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{Seed: 1})
	admin, plain, other := w.UserConfig(w.Base), w.UserConfig(w.Consumer.CreateUser("plain")), w.UserConfig(w.Owner.AdminUser())
	good, long := awsfaketest.Trust("222222222222").String(), `{"Version":"2012-10-17","Statement":[`+strings.Repeat(`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::consumer-copy"},`, 140)+
		`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "CreateRole", "RoleName", "held", "AssumeRolePolicyDocument", good))
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "PutRolePolicy", "RoleName", "held", "PolicyName", "p", "PolicyDocument", awsfaketest.ListsAndCopies))
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "CreatePolicy", "PolicyName", "held", "PolicyDocument", awsfaketest.ListsAndCopies))
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "CreateRole", "RoleName", "attached", "AssumeRolePolicyDocument", good))
	const held = "arn:aws:iam::222222222222:policy/held"
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "AttachRolePolicy", "RoleName", "attached", "PolicyArn", held))
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
		{"the other account's administrator", other, "PutRolePolicy", []string{"RoleName", "held", "PolicyName", "p", "PolicyDocument", awsfaketest.ListsAndCopies}},
		{"the other account's administrator", other, "AttachUserPolicy", []string{"UserName", "x", "PolicyArn", held}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "held", "AssumeRolePolicyDocument", good}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "HELD", "AssumeRolePolicyDocument", good}},
		{"the administrator", admin, "CreateRole", []string{"AssumeRolePolicyDocument", good}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "a b", "AssumeRolePolicyDocument", good}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", strings.Repeat("n", 65), "AssumeRolePolicyDocument", good}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new"}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", `{"Version":`}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", awsfaketest.ListsAndCopies}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", awsfaketest.Trust("arn:aws:iam::222222222222:role/absent").String()}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", awsfaketest.Trust("999999999999").String()}},
		{"the administrator", admin, "CreateRole", []string{"RoleName", "new", "AssumeRolePolicyDocument", good, "MaxSessionDuration", "60"}},
		{"the administrator", admin, "UpdateAssumeRolePolicy", []string{"RoleName", "absent", "PolicyDocument", good}},
		{"the administrator", admin, "GetRole", []string{"RoleName", "absent"}},
		{"the administrator", admin, "PutRolePolicy", []string{"RoleName", "absent", "PolicyName", "p", "PolicyDocument", awsfaketest.ListsAndCopies}},
		{"the administrator", admin, "PutRolePolicy", []string{"RoleName", "held", "PolicyName", "q", "PolicyDocument", good}},
		{"the administrator", admin, "PutRolePolicy", []string{"RoleName", "held", "PolicyName", "q", "PolicyDocument", long}},
		{"the administrator", admin, "GetRolePolicy", []string{"RoleName", "held", "PolicyName", "absent"}},
		{"the administrator", admin, "DeleteRolePolicy", []string{"RoleName", "held", "PolicyName", "absent"}},
		{"the administrator", admin, "DeleteRole", []string{"RoleName", "held"}},
		{"the administrator", admin, "DeleteRole", []string{"RoleName", "attached"}},
		{"the administrator", admin, "AttachRolePolicy", []string{"RoleName", "held", "PolicyArn", "arn:aws:iam::222222222222:policy/absent"}},
		{"the administrator", admin, "DetachRolePolicy", []string{"RoleName", "held", "PolicyArn", held}},
		{"the administrator", admin, "CreatePolicy", []string{"PolicyName", "held", "PolicyDocument", awsfaketest.ListsAndCopies}},
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
		fmt.Fprintf(&got, "%s: %s %s\n\t%v\n", tt.who, tt.action, strings.Join(args, " "), awsfaketest.AskIAM(t, w, tt.caller, tt.action, tt.parameters...))
	}
	golden(t, "iam-refusals.txt", got.String())
}

// golden compares got with a file in testdata, or writes the file.
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

// TestUnknownServices checks that calls to unimplemented services get an error that the service's
// client can decode and that names the operation.
func TestUnknownServices(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	admin := w.UserConfig(w.Base)
	form := awsfaketest.AskForm(t, w, admin, "ec2", "DescribeInstances")
	if form.Status != http.StatusNotImplemented || form.Code != "NotImplemented" || !strings.Contains(form.Message, "ec2 DescribeInstances") {
		t.Errorf("a form: got %v, want 501 that names ec2 DescribeInstances", form)
	}
	object := awsfaketest.Post(t, w, admin, "ssm", `{"Name":"x"}`, map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"})
	if object.Status != http.StatusNotImplemented || !strings.Contains(object.Body, `"__type":"NotImplemented"`) || !strings.Contains(object.Body, "ssm GetParameter") {
		t.Errorf("JSON: got %d %s, want 501 that names ssm GetParameter", object.Status, object.Body)
	}
}
