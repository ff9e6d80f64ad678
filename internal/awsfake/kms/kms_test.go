package kms_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

func TestKMSOperations(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.KMSClient(w.UserConfig(w.Base))
	created, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	id := created.KeyMetadata.KeyId
	context := map[string]string{"purpose": "test"}
	data, err := client.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: id, KeySpec: types.DataKeySpecAes256, EncryptionContext: context})
	if err != nil || len(data.Plaintext) != 32 {
		t.Fatalf("data key of %d bytes, %v", len(data.Plaintext), err)
	}
	decrypt := func(context map[string]string) (string, []byte) {
		out, err := client.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: data.CiphertextBlob, EncryptionContext: context})
		if err != nil {
			return awsfaketest.Code(err), nil
		}
		return "", out.Plaintext
	}
	if got, plain := decrypt(context); got != "" || !bytes.Equal(plain, data.Plaintext) {
		t.Errorf("decrypt: got %q", got)
	}
	if got, _ := decrypt(nil); got != "InvalidCiphertextException" {
		t.Errorf("another context: got %q", got)
	}
	if _, err := client.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: id}); err != nil {
		t.Fatal(err)
	}
	if got, _ := decrypt(context); got != "DisabledException" {
		t.Errorf("disabled: got %q", got)
	}
	if _, err := client.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: id}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: id}); err != nil {
		t.Fatal(err)
	}
	if got, _ := decrypt(context); got != "KMSInvalidStateException" {
		t.Errorf("pending deletion: got %q", got)
	}
	described, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: created.KeyMetadata.Arn})
	if err != nil || described.KeyMetadata.KeyState != types.KeyStatePendingDeletion {
		t.Errorf("state %v, %v", described, err)
	}
	listed, err := client.ListKeys(t.Context(), &kms.ListKeysInput{})
	if err != nil || len(listed.Keys) != 2 { // the key of the World and the key created here
		t.Errorf("%d keys, %v", len(listed.Keys), err)
	}
}

func TestKeyPolicyOperations(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.KMSClient(w.UserConfig(w.Base))
	id := w.ConsumerKey.ARN()
	got, err := client.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &id})
	if err != nil || !strings.Contains(*got.Policy, "arn:aws:iam::222222222222:root") {
		t.Errorf("default policy: %v, %v", got, err)
	}
	_, err = client.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &id, Policy: aws.String(`{"Statement":[{"Effect":"Allow"}]}`)})
	if got := awsfaketest.Code(err); got != "MalformedPolicyDocumentException" {
		t.Errorf("without a principal: got %q", got)
	}
	policy := awsfaketest.KeyPolicy("222222222222", w.Role.ARN, "kms:DescribeKey").String()
	if _, err := client.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &id, Policy: &policy}); err != nil {
		t.Errorf("a good policy: %v", err)
	}
}

func TestKMSRefusals(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	admin, plain := awsfaketest.KMSClient(w.UserConfig(w.Base)), awsfaketest.KMSClient(w.UserConfig(w.Consumer.CreateUser("plain")))
	for _, tt := range []struct {
		name   string
		client *kms.Client
		key    string
		want   string
	}{
		{"own key", admin, w.ConsumerKey.ARN(), ""},
		{"own key by its id", admin, w.ConsumerKey.ARN()[len("arn:aws:kms:us-west-2:222222222222:key/"):], ""},
		{"no permission", plain, w.ConsumerKey.ARN(), "AccessDeniedException"},
		{"no such key", admin, "00000000-0000-0000-0000-000000000000", "NotFoundException"},
		{"no such key in another account", admin, "arn:aws:kms:us-west-2:111111111111:key/x", "AccessDeniedException"},
		{"another account's key", admin, w.OwnerKey.ARN(), "AccessDeniedException"},
		{"another Region's key", admin, w.Consumer.CreateKey("eu-west-1", nil).ARN(), "NotFoundException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.client.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &tt.key, Plaintext: []byte("x")})
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

// TestDryRun checks that a dry run authorises the call but does nothing.
func TestDryRun(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	for name, want := range map[string]string{w.ConsumerKey.ARN(): "DryRunOperationException", w.OwnerKey.ARN(): "AccessDeniedException"} {
		_, err := awsfaketest.KMSClient(w.UserConfig(w.Base)).Decrypt(t.Context(), &kms.DecryptInput{
			KeyId: &name, DryRun: aws.Bool(true), DryRunModifiers: []types.DryRunModifierType{types.DryRunModifierTypeIgnoreCiphertext},
		})
		if got := awsfaketest.Code(err); got != want {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, want)
		}
	}
}
