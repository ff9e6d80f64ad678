package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"syncd/internal/demo"
)

// TestMissing checks the comparison of a page with the printed output.
func TestMissing(t *testing.T) {
	printed := "first 2026-01-31T12:34:56Z\nsecond\nthird in 1.5s\nfourth\n"
	for _, tt := range []struct{ name, shown, want string }{
		{"the same", printed, ""},
		{"times vary", "first 2027-02-01T00:00:00.5Z\nsecond\nthird in 20ms\nfourth\n", ""},
		{"lines left out", "first 2026-01-31T12:34:56Z\n...\nfourth\n", ""},
		{"the rest of a line left out", "...\nthird...\n...\n", ""},
		{"a line that is not there", "...\nfifth\n...\n", "fifth"},
		{"a line out of order", "...\nthird in 1s\n...\nsecond\n...\n", "second"},
		{"a line skipped without saying so", "first 2026-01-31T12:34:56Z\nthird in 1s\n...\n", "third in DURATION"},
		{"an end left out without saying so", "first 2026-01-31T12:34:56Z\nsecond\n", "the end, before third in DURATION"},
		{"a beginning of a line without saying so", "...\nfour\n", "four"},
	} {
		if got := missing(tt.shown, printed); got != tt.want {
			t.Errorf("%s: got %q missing, want %q", tt.name, got, tt.want)
		}
	}
}

// TestStandInRefuses checks that a session fails for commands that the AWS CLI rejects or that the
// accounts deny.
func TestStandInRefuses(t *testing.T) {
	w, dir := demo.NewWorld(time.Now), t.TempDir()
	server := httptest.NewServer(w.Cloud)
	t.Cleanup(server.Close)
	w.Endpoint = server.URL
	if err := w.Write(dir); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
	t.Setenv("AWS_REGION", demo.Region)
	t.Setenv("AWS_PROFILE", "consumer")
	policy := filepath.Join(dir, "policy.json")
	stranger := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::` + demo.Source +
		`", "Principal": {"AWS": "arn:aws:iam::222222222222:role/nobody"}}]}`
	if err := os.WriteFile(policy, []byte(stranger), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ command, want string }{
		{"s3 mb s3://consumer-copy", `no command "s3 mb s3://consumer-copy"`},
		{"s3 cp --recursive --only-show-errors data s3://owner-data/", "--0 is missing"},
		{"s3 rm s3://consumer-copy --recursive", "--only-show-errors is missing"},
		{"kms create-key --text copies", "--description is missing"},
		{"kms create-key --description copies --force yes", "unknown flag --force"},
		{"kms create-key --description copies --query KeyMetadata.Name --output text", "finds no text"},
		{"s3api put-bucket-policy --bucket owner-data --policy file://absent.json", "absent.json"},
		{"s3api put-bucket-policy --bucket owner-data --policy file://" + policy, "AccessDenied"},
		{"s3api put-bucket-policy --profile owner --bucket owner-data --policy file://" + policy, "Invalid principal"},
		{"iam put-role-policy --role-name absent --policy-name p --policy-document {}", "NoSuchEntity"},
		{"cloudformation deploy --stack-name s --template-file ../../deploy/cloudformation/owner.yaml --parameter-overrides Bucket=b", "Parameters: [ConsumerRoleArn] must have values"},
	} {
		var out bytes.Buffer
		err := aCall(strings.Fields(tt.command)).run(t.Context(), &out)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("aws %s: got error %v, want one with %q", tt.command, err, tt.want)
		}
	}
}

// TestDocumentedModulesHaveTheirInputs checks the calls of our Terraform modules in the documents:
// every argument is a variable of the module, and every variable without a default is set.
func TestDocumentedModulesHaveTheirInputs(t *testing.T) {
	call := regexp.MustCompile("(?s)```hcl\nmodule \"\\w+\" \\{\n  source += \"[^\"]*/(deploy/terraform/\\w+)\"[^\n]*\n(.*?)\n}\n```")
	argument := regexp.MustCompile(`(?m)^  (\w+) +=`)
	variable := regexp.MustCompile(`(?ms)^variable "(\w+)" \{\n(.*?)^\}`)
	found := 0
	for name, text := range documents(t) {
		for _, match := range call.FindAllStringSubmatch(text, -1) {
			found++
			given := map[string]bool{}
			for _, a := range argument.FindAllStringSubmatch(match[2], -1) {
				given[a[1]] = true
			}
			for _, v := range variable.FindAllStringSubmatch(string(readText(t, filepath.Join("../..", match[1], "variables.tf"))), -1) {
				if !given[v[1]] && !strings.Contains(v[2], "  default ") {
					t.Errorf("%s: module %s: got no %s, want every input without a default", name, match[1], v[1])
				}
				delete(given, v[1])
			}
			if len(given) > 0 {
				t.Errorf("%s: module %s: got arguments %v, want only inputs of the module", name, match[1], given)
			}
		}
	}
	if found == 0 {
		t.Error("got no module call in the documents, want the call of the owner's module")
	}
}
