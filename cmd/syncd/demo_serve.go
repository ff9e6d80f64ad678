package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"syncd/internal/printable"
)

const demoConfig = `# Two accounts of "syncd demo", served on loopback.
state: "file:{dir}/state"
aws: {endpoint_url: "{endpoint}", path_style: true}

roles:
  consumer:
    arn: {role}
    external_id: {external-id}
    tags: {access-project: demo}

mappings:
  - name: {mapping}
    source: {bucket: {source}, region: {region}, account: "{owner}", role: consumer}
    destination: {bucket: {copy}, region: {region}, account: "{consumer}", role: consumer,
                  kms_key: "{consumer-key}"}
    schedule: "@every 5s"
`

const demoCredentials = `[owner]
aws_access_key_id = {owner-id}
aws_secret_access_key = {owner-secret}
region = {region}
endpoint_url = {endpoint}

[consumer]
aws_access_key_id = {consumer-id}
aws_secret_access_key = {consumer-secret}
region = {region}
endpoint_url = {endpoint}
`

// render fills in what a configuration or credentials file says of the world.
func (w *world) render(text, dir string) string {
	return strings.NewReplacer(
		"{dir}", dir, "{endpoint}", w.endpoint, "{role}", w.role.ARN, "{external-id}", demoExternalID, "{mapping}", demoMapping,
		"{source}", demoSource, "{copy}", demoCopy, "{region}", demoRegion, "{owner}", demoOwner, "{consumer}", demoConsumer,
		"{consumer-key}", w.consumerKey.ARN(), "{owner-id}", w.owner.AccessKeyID, "{owner-secret}", w.owner.SecretAccessKey,
		"{consumer-id}", w.consumer.AccessKeyID, "{consumer-secret}", w.consumer.SecretAccessKey,
	).Replace(text)
}

// serveDemo keeps the two accounts up until ctx ends.
func serveDemo(ctx context.Context, p process, f demoFlags) (err error) {
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return fmt.Errorf("serve demo: %w", err)
	}
	w := newWorld(p.now)
	listener, err := w.bind(ctx, f.address)
	if err != nil {
		return err
	}
	// Whoever gets an answer finds the files there.
	if err := errors.Join(w.fill(f.from), w.write(dir)); err != nil {
		return errors.Join(fmt.Errorf("serve demo: %w", err), listener.Close())
	}
	closeServer := w.serve(ctx, listener)
	defer func() { err = errors.Join(err, closeServer()) }()
	printable.Fprintf(p.stdout, `Two AWS accounts are up on %s, until this process is stopped.
The owner's bucket %s holds %s.

Copy it, or keep it copied every 5 seconds:

  export AWS_SHARED_CREDENTIALS_FILE=%s/credentials
  AWS_PROFILE=consumer syncd backfill --config %[4]s/syncd.yaml
  AWS_PROFILE=consumer syncd run --config %[4]s/syncd.yaml

Any S3 client works too, with path-style addressing:

  AWS_PROFILE=owner    aws s3 ls s3://%[2]s
  AWS_PROFILE=consumer aws s3 ls s3://%[5]s

Requests so far, by operation: %[1]s/-/requests
`, w.endpoint, demoSource, objects(int64(len(w.source.Keys()))), dir, demoCopy)
	<-ctx.Done()
	printable.Fprintf(p.stdout, "\nrequests served: %s\n", byReason(w.requests()))
	return nil
}

// write leaves the configuration and the credentials in dir. The ledger of an earlier demo goes: the accounts that it
// speaks of went with their process.
func (w *world) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	title, _, _ := strings.Cut(demoConfig, "\n")
	if former, err := os.ReadFile(filepath.Join(dir, "syncd.yaml")); err == nil && strings.HasPrefix(string(former), title) {
		if err := os.RemoveAll(filepath.Join(dir, "state")); err != nil {
			return fmt.Errorf("remove the ledger of an earlier demo: %w", err)
		}
	}
	for name, text := range map[string]string{"syncd.yaml": demoConfig, "credentials": demoCredentials} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(w.render(text, dir)), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// held tells what a bucket holds, for people.
func held(count int, bytes int64) string {
	return fmt.Sprintf("%s, %s", objects(int64(count)), size(bytes))
}
