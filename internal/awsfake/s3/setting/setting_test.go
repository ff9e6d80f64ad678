package setting_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"syncd/internal/awsfake/awsfaketest"

	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
)

// TestBucketSettingsRoundTrip checks that settings can be read back, and are gone after they are
// deleted.
func TestBucketSettingsRoundTrip(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client, name := awsfaketest.S3Client(w.UserConfig(w.Base)), aws.String("consumer-copy")
	lifecycle := func(rules ...types.LifecycleRule) error {
		_, err := client.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
			Bucket: name, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules},
		})
		return err
	}
	rule := types.LifecycleRule{
		ID: aws.String("uploads"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("a&b/")},
		AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)},
	}
	idle := types.LifecycleRule{ID: aws.String("idle"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")}}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"a rule", lifecycle(rule), ""},
		{"two rules with the same ID", lifecycle(rule, rule), "InvalidArgument"},
		{"a rule without an action", lifecycle(idle), "InvalidRequest"},
	} {
		if got := awsfaketest.Code(tt.err); got != tt.want {
			t.Errorf("%s: got %v, want %q", tt.name, tt.err, tt.want)
		}
	}
	kept, err := client.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
	if err != nil || len(kept.Rules) != 1 || *kept.Rules[0].Filter.Prefix != "a&b/" || *kept.Rules[0].AbortIncompleteMultipartUpload.DaysAfterInitiation != 7 {
		t.Errorf("rules: got %+v, %v", kept, err)
	}
	_, err = client.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: name, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("team"), Value: aws.String("data")}}}})
	if err != nil {
		t.Fatal(err)
	}
	tags, err := client.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: name})
	if err != nil || len(tags.TagSet) != 1 || *tags.TagSet[0].Value != "data" {
		t.Errorf("tags: got %+v, %v", tags, err)
	}
	for what, err := range map[string]error{
		"lifecycle": drop(client.DeleteBucketLifecycle(t.Context(), &s3.DeleteBucketLifecycleInput{Bucket: name})),
		"tags":      drop(client.DeleteBucketTagging(t.Context(), &s3.DeleteBucketTaggingInput{Bucket: name})),
		"ownership": drop(client.PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: name, OwnershipControls: &types.OwnershipControls{
			Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}},
		}})),
		"encryption": drop(client.DeleteBucketEncryption(t.Context(), &s3.DeleteBucketEncryptionInput{Bucket: name})),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := client.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: name}); awsfaketest.Code(err) != "NoSuchLifecycleConfiguration" {
		t.Errorf("lifecycle: got %v", err)
	}
	if _, err := client.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: name}); awsfaketest.Code(err) != "NoSuchTagSet" {
		t.Errorf("tags: got %v", err)
	}
	foreign := awsfaketest.S3Client(w.UserConfig(w.Owner.AdminUser()))
	if err := drop(foreign.DeleteBucketLifecycle(t.Context(), &s3.DeleteBucketLifecycleInput{Bucket: name})); awsfaketest.Code(err) != "AccessDenied" {
		t.Errorf("the other account's administrator: got %v, want AccessDenied", err)
	}
}

// drop returns only the error of a call.
func drop[T any](_ T, err error) error { return err }

// TestPutPublicAccessBlock checks that a public policy is rejected until BlockPublicPolicy is off,
// and that it has no effect for other accounts until RestrictPublicBuckets is off too.
func TestPutPublicAccessBlock(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Destination.Put("k", awsfake.BytesBody(nil), awsfake.PutOptions{})
	client, name := awsfaketest.S3Client(w.UserConfig(w.Base)), aws.String("consumer-copy")
	stranger := awsfaketest.S3Client(w.UserConfig(w.Owner.AdminUser()))
	everyone := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::consumer-copy/*"}]}`
	put := func() error {
		return drop(client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: name, Policy: &everyone}))
	}
	block := func(policies, buckets bool) {
		t.Helper()
		_, err := client.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: name, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: &policies, RestrictPublicBuckets: &buckets,
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	reads := func() string {
		return awsfaketest.Code(drop(stranger.GetObject(t.Context(), &s3.GetObjectInput{Bucket: name, Key: aws.String("k")})))
	}
	if err := put(); awsfaketest.Code(err) != "AccessDenied" {
		t.Errorf("blocked: got %v", err)
	}
	block(false, true)
	if err := put(); err != nil {
		t.Errorf("not blocked: got %v", err)
	}
	if got := reads(); got != "AccessDenied" {
		t.Errorf("restricted: got %q", got)
	}
	w.ConsumerKey.SetPolicy(awsfaketest.KeyPolicy("222222222222", "*", "kms:Decrypt"))
	block(false, false)
	if got := reads(); got != "" {
		t.Errorf("open: got %q", got)
	}
	if err := drop(client.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: name})); err != nil {
		t.Fatal(err)
	}
	if err := drop(client.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: name})); awsfaketest.Code(err) != "NoSuchPublicAccessBlockConfiguration" {
		t.Errorf("deleted: got %v", err)
	}
}

// TestNewBucketLocation checks that a CreateBucket request in us-east-1 must not name that Region,
// and that a request in any other Region must name the Region that it is sent to.
func TestNewBucketLocation(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	for _, tt := range []struct{ in, constraint, want string }{
		{"us-east-1", "", ""},
		{"us-east-1", "us-east-1", "InvalidLocationConstraint"},
		{"eu-west-1", "", "IllegalLocationConstraintException"},
		{"eu-west-1", "us-west-2", "IllegalLocationConstraintException"},
		{"eu-west-1", "eu-west-1", ""},
	} {
		c := w.UserConfig(w.Base)
		c.Region = tt.in
		in := &s3.CreateBucketInput{Bucket: aws.String("new-" + tt.in)}
		if tt.constraint != "" {
			in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(tt.constraint)}
		}
		if err := drop(awsfaketest.S3Client(c).CreateBucket(t.Context(), in)); awsfaketest.Code(err) != tt.want {
			t.Errorf("%s in %s: got %v, want %q", tt.constraint, tt.in, err, tt.want)
		}
	}
}

// TestAliases checks that an alias names a key in its own account and Region, for KMS and for S3.
func TestAliases(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client, key := awsfaketest.KMSClient(w.UserConfig(w.Base)), aws.String(w.ConsumerKey.ARN())
	create := func(name string) error {
		return drop(client.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &name, TargetKeyId: key}))
	}
	for _, tt := range []struct{ name, want string }{
		{"alias/copies", ""}, {"alias/copies", "AlreadyExistsException"}, {"copies", "ValidationException"}, {"alias/aws/copies", "NotAuthorizedException"},
	} {
		if err := create(tt.name); awsfaketest.Code(err) != tt.want {
			t.Errorf("create %s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	if err := drop(awsfaketest.KMSClient(w.UserConfig(w.Consumer.CreateUser("plain"))).DeleteAlias(t.Context(), &kms.DeleteAliasInput{AliasName: aws.String("alias/copies")})); awsfaketest.Code(err) != "AccessDeniedException" {
		t.Errorf("a user without policies deletes: got %v", err)
	}
	for _, id := range []string{"alias/copies", "arn:aws:kms:us-west-2:222222222222:alias/copies"} {
		found, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &id})
		if err != nil || *found.KeyMetadata.Arn != *key {
			t.Errorf("describe %s: got %+v, %v", id, found, err)
		}
	}
	_, err := awsfaketest.S3Client(w.UserConfig(w.Base)).PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Body: strings.NewReader("x"),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String("alias/copies"),
	})
	if info, _ := w.Destination.Object("k"); err != nil || info.KeyARN != *key {
		t.Errorf("put under the alias: got %+v, %v", info, err)
	}
	listed, err := client.ListAliases(t.Context(), &kms.ListAliasesInput{KeyId: key})
	if err != nil || len(listed.Aliases) != 1 || *listed.Aliases[0].AliasName != "alias/copies" {
		t.Errorf("list: got %+v, %v", listed, err)
	}
	if err := drop(client.DeleteAlias(t.Context(), &kms.DeleteAliasInput{AliasName: aws.String("alias/copies")})); err != nil {
		t.Fatal(err)
	}
	if err := drop(client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String("alias/copies")})); awsfaketest.Code(err) != "NotFoundException" {
		t.Errorf("a deleted alias: got %v", err)
	}
}

// TestKeyManagement checks a key's description and tags, the rejection of a key policy that locks
// out its caller, and a cancelled deletion.
func TestKeyManagement(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.KMSClient(w.UserConfig(w.Base))
	created, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{Description: aws.String("copies"), Tags: []kmstypes.Tag{{TagKey: aws.String("team"), TagValue: aws.String("data")}}})
	if err != nil || aws.ToString(created.KeyMetadata.Description) != "copies" {
		t.Fatalf("got %+v, %v", created, err)
	}
	id := created.KeyMetadata.KeyId
	tags, err := client.ListResourceTags(t.Context(), &kms.ListResourceTagsInput{KeyId: id})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].TagValue != "data" {
		t.Errorf("tags: got %+v, %v", tags, err)
	}
	lockout := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"kms:Decrypt","Resource":"*"}]}`
	put := func(insist bool) error {
		return drop(client.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: id, Policy: &lockout, BypassPolicyLockoutSafetyCheck: insist}))
	}
	if err := put(false); awsfaketest.Code(err) != "MalformedPolicyDocumentException" || !strings.Contains(awsfaketest.Message(err), "will not allow you to update the key policy") {
		t.Errorf("a policy that locks its author out: got %v", err)
	}
	if err := drop(client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: kmstypes.KeySpecRsa2048, KeyUsage: kmstypes.KeyUsageTypeSignVerify})); awsfaketest.Code(err) != "NotImplemented" {
		t.Errorf("a key of another kind: got %v, want NotImplemented", err)
	}
	if err := drop(client.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)})); err != nil {
		t.Fatal(err)
	}
	described, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: id})
	if err != nil || described.KeyMetadata.DeletionDate == nil {
		t.Errorf("pending deletion: got %+v, %v", described, err)
	}
	if err := drop(client.EnableKeyRotation(t.Context(), &kms.EnableKeyRotationInput{KeyId: id})); awsfaketest.Code(err) != "KMSInvalidStateException" {
		t.Errorf("rotation of a key pending deletion: got %v", err)
	}
	for range 2 {
		err = drop(client.CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: id}))
	}
	if awsfaketest.Code(err) != "KMSInvalidStateException" {
		t.Errorf("cancelled twice: got %v", err)
	}
	if err := put(true); err != nil {
		t.Errorf("a policy that locks its author out, check bypassed: got %v", err)
	}
}
