package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// beAWS is the aws program of a session. It implements the AWS CLI commands that the documents use,
// with exactly the flags that these commands have, and sends signed requests. Everything else is an
// error, so that a page cannot show commands that the real CLI rejects.
func beAWS() {
	if err := aCall(os.Args[1:]).run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "aws: %v\n", err)
		os.Exit(254) // exit code of the real CLI if a service returns an error
	}
}

// aCall is a command line of the AWS CLI without its first word.
type aCall []string

// cliFlags are flags by name without the dashes. Operands are named by their position, from 0.
type cliFlags map[string]string

// cliCommand is a command: its required flags, and its implementation.
type cliCommand struct {
	flags []string
	do    func(context.Context, aws.Config, cliFlags) (any, error)
}

func cliCommands() map[string]cliCommand {
	return map[string]cliCommand{
		"s3api create-bucket":                      {[]string{"bucket", "create-bucket-configuration"}, cliCreateBucket},
		"s3api delete-bucket":                      {[]string{"bucket"}, cliDeleteBucket},
		"s3api put-bucket-encryption":              {[]string{"bucket", "server-side-encryption-configuration"}, cliPutBucketEncryption},
		"s3api get-bucket-encryption":              {[]string{"bucket"}, cliGetBucketEncryption},
		"s3api put-bucket-policy":                  {[]string{"bucket", "policy"}, cliPutBucketPolicy},
		"s3api delete-bucket-policy":               {[]string{"bucket"}, cliDeleteBucketPolicy},
		"s3api put-bucket-lifecycle-configuration": {[]string{"bucket", "lifecycle-configuration"}, cliPutLifecycle},
		"s3api put-object":                         {[]string{"bucket", "key", "body"}, cliPutObject},
		"s3api head-object":                        {[]string{"bucket", "key"}, cliHeadObject},
		"s3api delete-object":                      {[]string{"bucket", "key"}, cliDeleteObject},
		"s3api wait object-exists":                 {[]string{"bucket", "key"}, cliWaitForObject},
		"s3 cp":                                    {[]string{"0", "1", "recursive", "only-show-errors"}, cliUpload},
		"s3 rm":                                    {[]string{"0", "recursive", "only-show-errors"}, cliRemove},
		"kms create-key":                           {[]string{"description"}, cliCreateKey},
		"kms get-key-policy":                       {[]string{"key-id", "policy-name"}, cliGetKeyPolicy},
		"kms put-key-policy":                       {[]string{"key-id", "policy-name", "policy"}, cliPutKeyPolicy},
		"kms schedule-key-deletion":                {[]string{"key-id", "pending-window-in-days"}, cliScheduleKeyDeletion},
		"iam create-role":                          {[]string{"role-name", "assume-role-policy-document"}, cliForm("iam", "CreateRole")},
		"iam delete-role":                          {[]string{"role-name"}, cliForm("iam", "DeleteRole")},
		"iam put-role-policy":                      {[]string{"role-name", "policy-name", "policy-document"}, cliForm("iam", "PutRolePolicy")},
		"iam delete-role-policy":                   {[]string{"role-name", "policy-name"}, cliForm("iam", "DeleteRolePolicy")},
		"sts get-caller-identity":                  {nil, cliCallerIdentity},
		"cloudformation deploy":                    {[]string{"stack-name", "template-file", "parameter-overrides"}, cliDeploy},
		"cloudformation delete-stack":              {[]string{"stack-name"}, cliForm("cloudformation", "DeleteStack")},
	}
}

// command returns the command that the line begins with, its name, and the rest of the line.
func (c aCall) command() (cliCommand, string, []string) {
	for words := min(3, len(c)); words > 1; words-- {
		name := strings.Join(c[:words], " ")
		if command, ok := cliCommands()[name]; ok {
			return command, name, c[words:]
		}
	}
	return cliCommand{}, strings.Join(c, " "), nil
}

func (c aCall) run(ctx context.Context, stdout io.Writer) error {
	if len(c) == 1 && c[0] == "--version" {
		_, err := fmt.Fprintln(stdout, "aws-cli/2.38.1")
		return err
	}
	command, name, rest := c.command()
	if command.do == nil {
		return fmt.Errorf("no command %q in this session", name)
	}
	given, err := readFlags(rest)
	if err != nil {
		return err
	}
	var load []func(*awsconfig.LoadOptions) error
	if profile, ok := given["profile"]; ok {
		load = append(load, awsconfig.WithSharedConfigProfile(profile))
	}
	query, output := given["query"], given["output"]
	for _, global := range []string{"profile", "query", "output"} {
		delete(given, global)
	}
	if err := given.exactly(command.flags); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c2, err := awsconfig.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return err
	}
	result, err := command.do(ctx, c2, given)
	if err != nil || result == nil {
		return err
	}
	return printResult(stdout, result, query, output)
}

// readFlags reads --name value pairs after the operands. A value file://PATH is replaced by the
// text of the file. Several values of one flag are joined as lines. A switch has the value "on".
func readFlags(words []string) (cliFlags, error) {
	given, name := cliFlags{}, ""
	for i, word := range words {
		if flag, ok := strings.CutPrefix(word, "--"); ok {
			name = flag
			if given[name] = ""; slices.Contains([]string{"recursive", "only-show-errors"}, name) {
				given[name] = "on"
			}
			continue
		}
		if path, ok := strings.CutPrefix(word, "file://"); ok {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			word = string(text)
		}
		if name == "" {
			given[strconv.Itoa(i)] = word
			continue
		}
		given[name] = strings.TrimPrefix(given[name]+"\n"+word, "\n")
	}
	return given, nil
}

func (f cliFlags) exactly(names []string) error {
	for _, name := range names {
		if f[name] == "" {
			return fmt.Errorf("--%s is missing or empty", name)
		}
	}
	for name := range f {
		if !slices.Contains(names, name) {
			return fmt.Errorf("unknown flag --%s", name)
		}
	}
	return nil
}

// printResult prints a result like the CLI: as JSON, or with --output text the text that --query
// selects.
func printResult(w io.Writer, result any, query, output string) error {
	data, err := json.MarshalIndent(result, "", "    ")
	if err != nil {
		return err
	}
	if query == "" && output == "" {
		_, err := fmt.Fprintln(w, string(data))
		return err
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	for step := range strings.SplitSeq(query, ".") {
		name, index, indexed := strings.Cut(strings.TrimSuffix(step, "]"), "[")
		object, _ := value.(map[string]any)
		if value = object[name]; indexed {
			list, _ := value.([]any)
			at, err := strconv.Atoi(index)
			if err != nil || at >= len(list) {
				return fmt.Errorf("--query %s: no %s", query, step)
			}
			value = list[at]
		}
	}
	text, isText := value.(string)
	if output != "text" || !isText {
		return fmt.Errorf("--query %q --output %q: finds no text", query, output)
	}
	_, err = fmt.Fprintln(w, text)
	return err
}

// strictJSON decodes the JSON value of a flag. The names in the JSON must be names of fields in the
// API.
func strictJSON(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func cliCreateBucket(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	region, ok := strings.CutPrefix(f["create-bucket-configuration"], "LocationConstraint=")
	if !ok {
		return nil, errors.New("--create-bucket-configuration is not LocationConstraint=REGION")
	}
	out, err := s3.NewFromConfig(c).CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: aws.String(f["bucket"]), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)},
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"Location": out.Location}, nil
}

func cliPutBucketEncryption(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	var rules types.ServerSideEncryptionConfiguration
	if err := strictJSON(f["server-side-encryption-configuration"], &rules); err != nil {
		return nil, err
	}
	_, err := s3.NewFromConfig(c).PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
		Bucket: aws.String(f["bucket"]), ServerSideEncryptionConfiguration: &rules,
	})
	return nil, err
}

func cliGetBucketEncryption(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	out, err := s3.NewFromConfig(c).GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: aws.String(f["bucket"])})
	if err != nil {
		return nil, err
	}
	return map[string]any{"ServerSideEncryptionConfiguration": out.ServerSideEncryptionConfiguration}, nil
}

func cliPutBucketPolicy(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	_, err := s3.NewFromConfig(c).PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(f["bucket"]), Policy: aws.String(f["policy"])})
	return nil, err
}

func cliDeleteBucketPolicy(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	_, err := s3.NewFromConfig(c).DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String(f["bucket"])})
	return nil, err
}

func cliDeleteBucket(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	_, err := s3.NewFromConfig(c).DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String(f["bucket"])})
	return nil, err
}

func cliPutLifecycle(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	var rules types.BucketLifecycleConfiguration
	if err := strictJSON(f["lifecycle-configuration"], &rules); err != nil {
		return nil, err
	}
	_, err := s3.NewFromConfig(c).PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{
		Bucket: aws.String(f["bucket"]), LifecycleConfiguration: &rules,
	})
	return nil, err
}

func cliPutObject(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	body, err := os.ReadFile(f["body"])
	if err != nil {
		return nil, err
	}
	out, err := s3.NewFromConfig(c).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(f["bucket"]), Key: aws.String(f["key"]), Body: bytes.NewReader(body)})
	if err != nil {
		return nil, err
	}
	return map[string]any{"ETag": out.ETag}, nil
}

func cliHeadObject(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	out, err := s3.NewFromConfig(c).HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(f["bucket"]), Key: aws.String(f["key"])})
	if err != nil {
		return nil, err
	}
	return map[string]any{"SSEKMSKeyId": out.SSEKMSKeyId}, nil
}

func cliDeleteObject(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	_, err := s3.NewFromConfig(c).DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(f["bucket"]), Key: aws.String(f["key"])})
	return nil, err
}

// location returns the bucket and the prefix of s3://BUCKET/PREFIX.
func location(uri string) (bucket, prefix string, err error) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	if !ok {
		return "", "", fmt.Errorf("%q is not s3://BUCKET/PREFIX", uri)
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	return bucket, prefix, nil
}

// cliUpload uploads the files of a folder.
func cliUpload(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	bucket, prefix, err := location(f["1"])
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(f["0"])
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		put := cliFlags{"bucket": bucket, "key": prefix + file.Name(), "body": filepath.Join(f["0"], file.Name())}
		if _, err := cliPutObject(ctx, c, put); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// cliRemove deletes the first thousand objects below s3://BUCKET/PREFIX.
func cliRemove(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	bucket, prefix, err := location(f["0"])
	if err != nil {
		return nil, err
	}
	listed, err := s3.NewFromConfig(c).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	if err != nil {
		return nil, err
	}
	for _, object := range listed.Contents {
		if _, err := cliDeleteObject(ctx, c, cliFlags{"bucket": bucket, "key": *object.Key}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// cliWaitForObject waits as long as the real CLI, but polls more often than every 5 s, the interval
// of the real CLI.
func cliWaitForObject(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	waiter := s3.NewObjectExistsWaiter(s3.NewFromConfig(c), func(o *s3.ObjectExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = waitStep, waitStep
	})
	return nil, waiter.Wait(ctx, &s3.HeadObjectInput{Bucket: aws.String(f["bucket"]), Key: aws.String(f["key"])}, waitLimit)
}

func cliCreateKey(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	out, err := kms.NewFromConfig(c).CreateKey(ctx, &kms.CreateKeyInput{Description: aws.String(f["description"])})
	if err != nil {
		return nil, err
	}
	return map[string]any{"KeyMetadata": out.KeyMetadata}, nil
}

func cliGetKeyPolicy(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	out, err := kms.NewFromConfig(c).GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: aws.String(f["key-id"]), PolicyName: aws.String(f["policy-name"])})
	if err != nil {
		return nil, err
	}
	return map[string]any{"Policy": out.Policy, "PolicyName": out.PolicyName}, nil
}

func cliPutKeyPolicy(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	_, err := kms.NewFromConfig(c).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{
		KeyId: aws.String(f["key-id"]), PolicyName: aws.String(f["policy-name"]), Policy: aws.String(f["policy"]),
	})
	return nil, err
}

func cliScheduleKeyDeletion(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	days, err := strconv.ParseInt(f["pending-window-in-days"], 10, 32)
	if err != nil {
		return nil, err
	}
	out, err := kms.NewFromConfig(c).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{
		KeyId: aws.String(f["key-id"]), PendingWindowInDays: aws.Int32(int32(days)),
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"KeyState": out.KeyState}, nil
}

func cliCallerIdentity(ctx context.Context, c aws.Config, _ cliFlags) (any, error) {
	out, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, err
	}
	return struct {
		UserID       *string `json:"UserId"`
		Account, Arn *string
	}{out.UserId, out.Account, out.Arn}, nil
}
