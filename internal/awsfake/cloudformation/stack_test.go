package cloudformation_test

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
	"syncd/internal/iam"
)

// deploy does what "aws cloudformation deploy" does. It returns the final state of the stack, or
// the error for the change set.
func deploy(t *testing.T, w *awsfaketest.World, c aws.Config, kind, template string, more ...string) awsfaketest.Answer {
	t.Helper()
	change := awsfaketest.AskForm(t, w, c, "cloudformation", "CreateChangeSet",
		append(more, "StackName", "syncd-owner", "ChangeSetName", "change", "ChangeSetType", kind, "TemplateBody", template)...)
	if change.Code != "" {
		return change
	}
	id := change.Text("Id")
	if described := awsfaketest.Must(t, awsfaketest.AskForm(t, w, c, "cloudformation", "DescribeChangeSet", "ChangeSetName", id)); described.Text("Status") == "FAILED" {
		return described
	}
	awsfaketest.Must(t, awsfaketest.AskForm(t, w, c, "cloudformation", "ExecuteChangeSet", "ChangeSetName", id))
	return awsfaketest.Must(t, awsfaketest.AskForm(t, w, c, "cloudformation", "DescribeStacks", "StackName", "syncd-owner"))
}

func parameters(pairs ...string) []string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		member := "Parameters.member." + string(rune('1'+i/2)) + "."
		out = append(out, member+"ParameterKey", pairs[i], member+"ParameterValue", pairs[i+1])
	}
	return out
}

// TestOwnersStack deploys deploy/cloudformation/owner.yaml. It checks that the stack adds the
// template's statements to the bucket policy, and that deleting the stack removes the statements.
func TestOwnersStack(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	text, err := os.ReadFile("../../../deploy/cloudformation/owner.yaml")
	if err != nil {
		t.Fatal(err)
	}
	owner := w.UserConfig(w.Owner.AdminUser())
	client := awsfaketest.S3Client(owner)
	given := parameters("Bucket", "owner-data", "ConsumerRoleArn", w.Role.ARN, "Prefix", "exports/")
	policy := func() string {
		out, err := client.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("owner-data")})
		if err != nil {
			return awsfaketest.Code(err)
		}
		return *out.Policy
	}
	refused := deploy(t, w, owner, "CREATE", string(text), given...)
	if events := awsfaketest.Must(t, awsfaketest.AskForm(t, w, owner, "cloudformation", "DescribeStackEvents", "StackName", "syncd-owner")); refused.Text("StackStatus") != "ROLLBACK_COMPLETE" ||
		!strings.Contains(events.Body, "The bucket policy already exists on bucket owner-data.") {
		t.Errorf("a bucket that has a policy: got %s, events %s", refused.Body, events.Body)
	}
	awsfaketest.Must(t, awsfaketest.AskForm(t, w, owner, "cloudformation", "DeleteStack", "StackName", "syncd-owner"))
	w.Source.SetPolicy(nil)
	made := deploy(t, w, owner, "CREATE", string(text), given...)
	if made.Text("StackStatus") != "CREATE_COMPLETE" || !strings.Contains(made.Text("OutputValue"), `s3.us-west-2.amazonaws.com&quot;]`) {
		t.Errorf("got stack %s", made.Body)
	}
	for _, want := range []string{`"s3:prefix": "exports/*"`, `"arn:aws:s3:::owner-data/exports/*"`, `"s3:GetObjectTagging"`, w.Role.ARN} {
		if got := policy(); !strings.Contains(got, want) {
			t.Errorf("got policy %s, want %s in it", got, want)
		}
	}
	if again := deploy(t, w, owner, "UPDATE", string(text), given...); !strings.Contains(again.Text("StatusReason"), "didn't contain changes") {
		t.Errorf("the same again: got %s", again.Body)
	}
	whole := parameters("Bucket", "owner-data", "ConsumerRoleArn", w.Role.ARN, "CopyTags", "false")
	if changed := deploy(t, w, owner, "UPDATE", string(text), whole...); changed.Text("StackStatus") != "UPDATE_COMPLETE" ||
		strings.Contains(policy(), "s3:prefix") || strings.Contains(policy(), "Tagging") {
		t.Errorf("other parameters: got %s, policy %s", changed.Body, policy())
	}
	awsfaketest.Must(t, awsfaketest.AskForm(t, w, owner, "cloudformation", "DeleteStack", "StackName", "syncd-owner"))
	if got := policy(); got != "NoSuchBucketPolicy" {
		t.Errorf("got policy %s, want none after the stack is deleted", got)
	}
}

// TestStackOfRoles checks a stack of roles with policies, like the templates that syncd policy
// writes for the consumer.
func TestStackOfRoles(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	admin := w.UserConfig(w.Base)
	template := `{"AWSTemplateFormatVersion": "2010-09-09", "Parameters": {"Secret": {"Type": "String", "NoEcho": true}}, "Resources": {
		"Permissions": {"Type": "AWS::IAM::RolePolicy", "Properties": {"PolicyName": "syncd", "RoleName": {"Ref": "Role"}, "PolicyDocument": ` + awsfaketest.ListsAndCopies + `}},
		"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "made", "Path": "/team/", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
			{"Effect": "Allow", "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}, "Action": "sts:AssumeRole",
			 "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "Secret"}}}}]}}}},
		"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}}}`
	if got := deploy(t, w, admin, "CREATE", template, parameters("Secret", "abcdef")...); got.Code != "InsufficientCapabilitiesException" {
		t.Errorf("without consent: got %v", got)
	}
	named := append(parameters("Secret", "abcdef"), "Capabilities.member.1", "CAPABILITY_NAMED_IAM")
	made := deploy(t, w, admin, "CREATE", template, named...)
	if got := made.Text("OutputValue"); got != "arn:aws:iam::222222222222:role/team/made" {
		t.Errorf("got output %q of %s", got, made.Body)
	}
	role := awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "GetRole", "RoleName", "made"))
	if !strings.Contains(role.Text("AssumeRolePolicyDocument"), `"sts:ExternalId": "abcdef"`) {
		t.Errorf("got role %s", role.Body)
	}
	awsfaketest.Must(t, awsfaketest.AskIAM(t, w, admin, "GetRolePolicy", "RoleName", "made", "PolicyName", "syncd"))
	plain := w.UserConfig(w.Consumer.CreateUser("plain"))
	if got := awsfaketest.AskForm(t, w, plain, "cloudformation", "DeleteStack", "StackName", "syncd-owner"); got.Code != "AccessDenied" {
		t.Errorf("a user without policies: got %v", got)
	}
	if got := awsfaketest.AskForm(t, w, w.UserConfig(w.Owner.AdminUser()), "cloudformation", "DescribeStacks", "StackName", "syncd-owner"); got.Message != "Stack with id syncd-owner does not exist" {
		t.Errorf("the other account's administrator: got %v", got)
	}
	awsfaketest.Must(t, awsfaketest.AskForm(t, w, admin, "cloudformation", "DeleteStack", "StackName", "syncd-owner"))
	if got := awsfaketest.AskIAM(t, w, admin, "GetRole", "RoleName", "made"); got.Code != "NoSuchEntity" {
		t.Errorf("got %v, want no role after the stack is deleted", got)
	}
}

// TestStackActsAsItsCaller checks that a stack is rolled back, with the reason, if its caller is
// allowed to deploy but not to change the bucket policy.
func TestStackActsAsItsCaller(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	deployer := w.Consumer.CreateUser("deployer")
	deployer.SetPolicies(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudformation:*","Resource":"*"}]}`))
	template := "Resources:\n  P:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      Bucket: consumer-copy\n      PolicyDocument: " + strings.Join(strings.Fields(awsfaketest.BucketPolicy("consumer-copy", "111111111111").String()), " ")
	got := deploy(t, w, w.UserConfig(deployer), "CREATE", template)
	if got.Text("StackStatus") != "ROLLBACK_COMPLETE" || !strings.Contains(got.Body, "is not authorized to perform: s3:PutBucketPolicy") {
		t.Errorf("got %s", got.Body)
	}
}

// TestTemplateRefusals checks the errors for unimplemented features and for values that a template
// does not allow.
func TestTemplateRefusals(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	admin := w.UserConfig(w.Base)
	const policy = "Type: AWS::S3::BucketPolicy, Properties: {Bucket: consumer-copy, PolicyDocument: {}}"
	var got []string
	for _, template := range []string{
		"a: [",
		"Resources: {}",
		"Transform: x\nResources: {P: {" + policy + "}}",
		"Resources: {Q: {Type: AWS::SQS::Queue}}",
		"Resources: {P: {Type: AWS::IAM::Role, Properties: {Tags: []}}}",
		"Parameters: {A: {Type: String}}\nResources: {P: {" + policy + "}}",
		"Parameters: {A: {Type: String, Default: x, AllowedPattern: 'y+'}}\nResources: {P: {" + policy + "}}",
		"Parameters: {A: {Type: String, Default: x, AllowedValues: [y]}}\nResources: {P: {" + policy + "}}",
		"Resources: {P: {Condition: C, " + policy + "}}",
	} {
		a := deploy(t, w, admin, "CREATE", template)
		first, _, _ := strings.Cut(a.Message, " (")
		got = append(got, a.Code+": "+strings.TrimPrefix(first, "A header or operation you provided implies functionality that is "))
	}
	want := []string{
		"ValidationError: Template format error: YAML not well-formed.",
		"ValidationError: Template format error: At least one Resources member must be defined.",
		"NotImplemented: not implemented: templates with Transform",
		"NotImplemented: not implemented: template resource AWS::SQS::Queue",
		"NotImplemented: not implemented: property Tags of template resource AWS::IAM::Role",
		"ValidationError: Parameters: [A] must have values",
		"ValidationError: Parameter 'A' must match pattern y+",
		"ValidationError: Template error: parameter 'A' must be one of AllowedValues",
		"ValidationError: Template error: unresolved condition dependency C in Fn::If",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
