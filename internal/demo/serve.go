package demo

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

// Config is the configuration of the demo, with placeholders that Render replaces.
const Config = `# Two accounts of "syncd demo", served on loopback.
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

// Render replaces the placeholders of a configuration with the names and addresses of the world.
func (w *World) Render(text, dir string) string {
	return strings.NewReplacer(
		"{dir}", dir, "{endpoint}", w.Endpoint, "{role}", w.Role.ARN, "{external-id}", ExternalID, "{mapping}", Mapping,
		"{source}", Source, "{copy}", Copy, "{region}", Region, "{owner}", Owner, "{consumer}", Consumer,
		"{consumer-key}", w.ConsumerKey.ARN(),
	).Replace(text)
}

// Serve keeps the two accounts running until ctx ends.
func Serve(ctx context.Context, p invocation.Process, f Options) (err error) {
	dir, err := filepath.Abs(f.Dir)
	if err != nil {
		return fmt.Errorf("serve demo: %w", err)
	}
	w, prepare := NewWorld(p.Now), (*World).Write
	if f.Empty {
		w, prepare = NewEmptyWorld(p.Now), (*World).WriteEmpty
	}
	listener, err := w.Bind(ctx, f.Address)
	if err != nil {
		return err
	}
	if f.Empty {
		listener, err = w.Secure(listener)
	} else {
		err = w.Fill(f.From)
	}
	// The files exist before the first request is answered.
	if err := errors.Join(err, prepare(w, dir)); err != nil {
		return errors.Join(fmt.Errorf("serve demo: %w", err), listener.Close())
	}
	closeServer := w.Serve(ctx, listener)
	defer func() { err = errors.Join(err, closeServer()) }()
	if f.Empty {
		printable.Fprintf(p.Stdout, emptyWelcome, w.Endpoint, Owner, Consumer, shellQuote(filepath.Join(dir, environmentFile)))
	} else {
		printable.Fprintf(p.Stdout, welcome, w.Endpoint, Source, terminal.Objects(int64(len(w.Source.Keys()))), shellQuote(dir), Copy)
	}
	<-ctx.Done()
	printable.Fprintf(p.Stdout, "\nrequests served: %s\n", terminal.ByReason(w.Requests()))
	return nil
}

const welcome = `Two simulated AWS accounts run on %s until this process is stopped.
The owner's bucket %s holds %s.

Copy it once, or every 5 seconds:

  . %s/environment
  AWS_PROFILE=consumer syncd backfill --config %[4]s/syncd.yaml
  AWS_PROFILE=consumer syncd run --config %[4]s/syncd.yaml

You can also use any S3 client, with path-style addressing:

  AWS_PROFILE=owner    aws s3 ls s3://%[2]s
  AWS_PROFILE=consumer aws s3 ls s3://%[5]s

` + clients + `
Requests so far, by operation: %[1]s/-/requests
`

// clients explains the endpoint to users of the AWS CLI.
const clients = `The AWS CLI reads the endpoint from AWS_ENDPOINT_URL since versions 2.13 and 1.29. For older versions the file
"environment" defines aws as a shell function that adds --endpoint-url.
`

// Write writes the configuration and the credentials into dir. It removes the ledger of an earlier
// demo, whose accounts no longer exist.
func (w *World) Write(dir string) error {
	if err := removeFormer(dir); err != nil {
		return err
	}
	if err := writeFile(dir, "syncd.yaml", w.Render(Config, dir)); err != nil {
		return err
	}
	return w.WriteAccess(dir, Region)
}

// removeFormer creates dir if needed, and removes the configuration and the ledger of an earlier
// demo from it.
func removeFormer(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	title, _, _ := strings.Cut(Config, "\n")
	path := filepath.Join(dir, "syncd.yaml")
	if former, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(former), title) {
		return nil //nolint:nilerr // a file that cannot be read is not from a demo
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "state")), os.Remove(path)); err != nil {
		return fmt.Errorf("remove the ledger of an earlier demo: %w", err)
	}
	return nil
}

// writeFile replaces a file atomically, so that a process that waits for the file never reads an
// incomplete one.
func writeFile(dir, name, text string) error {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
