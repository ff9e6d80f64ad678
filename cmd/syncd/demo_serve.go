package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"syncd/internal/invocation"
	"syncd/internal/printable"
	"syncd/internal/terminal"
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

// render fills in what a configuration says of the world.
func (w *world) render(text, dir string) string {
	return strings.NewReplacer(
		"{dir}", dir, "{endpoint}", w.endpoint, "{role}", w.role.ARN, "{external-id}", demoExternalID, "{mapping}", demoMapping,
		"{source}", demoSource, "{copy}", demoCopy, "{region}", demoRegion, "{owner}", demoOwner, "{consumer}", demoConsumer,
		"{consumer-key}", w.consumerKey.ARN(),
	).Replace(text)
}

// serveDemo keeps the two accounts up until ctx ends.
func serveDemo(ctx context.Context, p invocation.Process, f demoFlags) (err error) {
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return fmt.Errorf("serve demo: %w", err)
	}
	w, prepare := newWorld(p.Now), (*world).write
	if f.empty {
		w, prepare = newEmptyWorld(p.Now), (*world).writeEmpty
	}
	listener, err := w.bind(ctx, f.address)
	if err != nil {
		return err
	}
	if f.empty {
		listener, err = w.secure(listener)
	} else {
		err = w.fill(f.from)
	}
	// The files are there before the first answer.
	if err := errors.Join(err, prepare(w, dir)); err != nil {
		return errors.Join(fmt.Errorf("serve demo: %w", err), listener.Close())
	}
	closeServer := w.serve(ctx, listener)
	defer func() { err = errors.Join(err, closeServer()) }()
	if f.empty {
		printable.Fprintf(p.Stdout, demoEmptyWelcome, w.endpoint, demoOwner, demoConsumer, shellQuote(filepath.Join(dir, environmentFile)))
	} else {
		printable.Fprintf(p.Stdout, demoWelcome, w.endpoint, demoSource, terminal.Objects(int64(len(w.source.Keys()))), shellQuote(dir), demoCopy)
	}
	<-ctx.Done()
	printable.Fprintf(p.Stdout, "\nrequests served: %s\n", terminal.ByReason(w.requests()))
	return nil
}

const demoWelcome = `Two AWS accounts are up on %s, until this process is stopped.
The owner's bucket %s holds %s.

Copy it, or keep it copied every 5 seconds:

  . %s/environment
  AWS_PROFILE=consumer syncd backfill --config %[4]s/syncd.yaml
  AWS_PROFILE=consumer syncd run --config %[4]s/syncd.yaml

Any S3 client works too, with path-style addressing:

  AWS_PROFILE=owner    aws s3 ls s3://%[2]s
  AWS_PROFILE=consumer aws s3 ls s3://%[5]s

` + demoClients + `
Requests so far, by operation: %[1]s/-/requests
`

// demoClients is what users of the AWS CLI must know about endpoints.
const demoClients = `The AWS CLI reads the endpoint from AWS_ENDPOINT_URL since version 2.13 (1.29 of version 1). For an older one the file
"environment" makes aws a function with --endpoint-url.
`

// write leaves the configuration and the credentials in dir. The ledger of an earlier demo is removed: its accounts ended with their
// process.
func (w *world) write(dir string) error {
	if err := removeFormer(dir); err != nil {
		return err
	}
	if err := writeFile(dir, "syncd.yaml", w.render(demoConfig, dir)); err != nil {
		return err
	}
	return w.writeAccess(dir, demoRegion)
}

// removeFormer makes dir, and removes the configuration and the ledger of an earlier demo from it.
func removeFormer(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	title, _, _ := strings.Cut(demoConfig, "\n")
	path := filepath.Join(dir, "syncd.yaml")
	if former, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(former), title) {
		return nil //nolint:nilerr // what cannot be read is not the demo's
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "state")), os.Remove(path)); err != nil {
		return fmt.Errorf("remove the ledger of an earlier demo: %w", err)
	}
	return nil
}

// writeFile writes a file as a whole: a reader that waits for it never finds a part.
func writeFile(dir, name, text string) error {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
