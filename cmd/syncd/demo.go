package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/spf13/cobra"

	"syncd/internal/awsfake"
	"syncd/internal/daemon/web"
	"syncd/internal/iam"
)

const (
	demoRegion     = "us-east-1"
	demoOwner      = "111111111111"
	demoConsumer   = "222222222222"
	demoSource     = "owner-data"
	demoCopy       = "consumer-copy"
	demoRole       = "syncd-consumer"
	demoMapping    = "owner-to-consumer"
	demoExternalID = "demo-external-id-5f1c"
)

func demoCommand(p process) *cobra.Command {
	var from, serve, dir string
	var json, empty bool
	cmd := &cobra.Command{
		Use:   "demo [--from DIR] [--json] | demo --serve ADDRESS --dir DIR [--from DIR | --empty]",
		Short: "Show the whole story with two AWS accounts in this process",
		Long: `demo sets up two AWS accounts in this process, with buckets, keys, a role and policies, and has syncd copy from
the one to the other with real requests over loopback. Nothing leaves this machine.

With --serve the two accounts stay up, so that syncd and any S3 client can be tried against them: DIR gets a configuration
(syncd.yaml), an AWS credentials file with a profile for the administrator of each account (owner,
consumer), and the settings of a shell that uses them (environment). The ledger of an earlier demo
in DIR is removed, because its accounts are gone.

With --empty each account has an administrator and nothing else: no bucket, key, role or policy.
S3, KMS, IAM, STS and CloudFormation answer the AWS CLI, and policies are in force, so that all of
docs/getting-started.md can be rehearsed. The endpoint has TLS, because the configuration of that
page names none; DIR/ca.pem is the certificate of its authority.` + exits("demo", 0, 1, 2, 3, 130),
		Example: "  syncd demo\n  syncd demo --from /usr/share/doc --json\n  syncd demo --serve 127.0.0.1:9000 --dir /tmp/syncd-demo\n" +
			"  syncd demo --serve 127.0.0.1:9000 --dir /tmp/rehearsal --empty",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (serve == "") != (dir == "") {
				return &usageError{errors.New("demo: --serve and --dir go together: where the accounts are served, and the folder for syncd.yaml and credentials")}
			}
			if empty && (serve == "" || from != "") {
				return &usageError{errors.New("demo: --empty goes with --serve and without --from: it leaves out the bucket that --from fills")}
			}
			if serve != "" {
				return serveDemo(cmd.Context(), p, demoFlags{from: from, address: serve, dir: dir, empty: empty})
			}
			return tellDemo(cmd.Context(), p, demoFlags{from: from, json: json})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "fill the source from the files of `DIR`, which are held in memory (default a varied set of its own)")
	cmd.Flags().BoolVar(&json, "json", false, "print the summaries of the passes as one JSON object on the last line")
	cmd.Flags().StringVar(&serve, "serve", "", "keep the two accounts up on the loopback `ADDRESS`")
	cmd.Flags().StringVar(&dir, "dir", "", "the `DIR` that --serve writes syncd.yaml, credentials and environment into")
	cmd.Flags().BoolVar(&empty, "empty", false, "serve accounts without buckets, keys, roles and policies, in which all can be set up with the AWS CLI")
	return cmd
}

type demoFlags struct {
	from, address, dir string
	json, empty        bool
}

// world is two AWS accounts behind one endpoint: an owner with a bucket and a consumer who may read it through a role. An empty one has
// the administrators only.
type world struct {
	cloud                      *awsfake.Cloud
	owner, consumer            *awsfake.User
	ownerKey, consumerKey      *awsfake.Key
	source, destination        *awsfake.Bucket
	role                       *awsfake.Role
	endpoint                   string
	authority                  []byte        // the certificate, in PEM, that the endpoint's is signed by; nil without TLS
	ownerPolicy, grantedPolicy *iam.Document // the owner's key policy without and with the consumer
}

func newEmptyWorld(now func() time.Time) *world {
	w := &world{cloud: awsfake.New(awsfake.Options{Now: now})}
	w.owner, w.consumer = w.cloud.Account(demoOwner).AdminUser(), w.cloud.Account(demoConsumer).AdminUser()
	return w
}

func newWorld(now func() time.Time) *world {
	w := newEmptyWorld(now)
	owner, consumer := w.cloud.Account(demoOwner), w.cloud.Account(demoConsumer)
	w.consumerKey = consumer.CreateKey(demoRegion, nil)
	w.ownerKey = owner.CreateKey(demoRegion, nil)
	w.role = consumer.CreateRole(demoRole, demoDocument(demoTrust, w), awsfake.RoleOptions{})
	w.role.SetPolicies(demoDocument(demoPermissions, w))
	w.ownerPolicy, w.grantedPolicy = demoDocument(demoOwnerKey, w), demoDocument(demoGrantedKey, w)
	w.ownerKey.SetPolicy(w.grantedPolicy)
	w.source = owner.CreateBucket(demoSource, demoRegion, awsfake.BucketOptions{KeyARN: w.ownerKey.ARN(), Policy: demoDocument(demoBucket, w)})
	w.destination = consumer.CreateBucket(demoCopy, demoRegion, awsfake.BucketOptions{KeyARN: w.consumerKey.ARN(), BucketKey: true})
	return w
}

// listen brings the endpoint up on a loopback address until the returned func is called.
func (w *world) listen(ctx context.Context, address string) (closeServer func() error, err error) {
	listener, err := w.bind(ctx, address)
	if err != nil {
		return nil, err
	}
	return w.serve(ctx, listener), nil
}

// bind takes a loopback address, at which clients wait until it is served.
func (w *world) bind(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &hinted{&usageError{fmt.Errorf("serve demo: %w", err)}, "give --serve an address such as 127.0.0.1:9000"}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, &hinted{&usageError{fmt.Errorf("serve demo on %s: only a loopback address can be served", address)}, "give --serve an address such as 127.0.0.1:9000"}
	}
	listener, err := listen(ctx, address)
	if err != nil {
		return nil, &hinted{err, "give --serve a free address; port 0 takes any"}
	}
	w.endpoint = "http://" + listener.Addr().String()
	return listener, nil
}

func (w *world) serve(ctx context.Context, listener net.Listener) (closeServer func() error) {
	return web.ServeWith(ctx, &http.Server{Handler: w.cloud, ReadHeaderTimeout: time.Minute}, listener, func(error) {})
}

// signIn returns the consumer's credentials as the ambient ones.
func (w *world) signIn() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(w.consumer.AccessKeyID, w.consumer.SecretAccessKey, "")
}

// requests is how often the endpoint was asked, by operation.
func (w *world) requests() map[string]int64 { return w.cloud.Requests() }

// fill puts the files of dir into the source, or a varied set of objects for "".
func (w *world) fill(dir string) error {
	if dir == "" {
		w.fillVaried()
		return nil
	}
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		w.source.Put(filepath.ToSlash(relative), awsfake.BytesBody(data), awsfake.PutOptions{})
		return err
	})
}

// fillVaried makes what real buckets hold: many small objects, some with tags and metadata, empty ones, one above what a
// single CopyObject takes, and keys that careless tools lose.
func (w *world) fillVaried() {
	for i := range 200 {
		key := fmt.Sprintf("exports/2026/%02d/part-%05d.csv", i%12+1, i)
		w.source.Put(key, awsfake.SyntheticBody(int64(500+i*977), uint64(i)), awsfake.PutOptions{ //nolint:gosec // small
			ContentType: "text/csv", Metadata: map[string]string{"row-count": fmt.Sprint(i * 10)}, Tags: map[string]string{"class": "export"},
		})
	}
	for i, key := range []string{
		"awkward/a//b", "awkward/./dot", "awkward/../up", "/leading-slash", "awkward/space and+plus", "awkward/per%cent?query#mark",
		"awkward/grüße-日本語", "awkward/control-\x01", "markers/", "empty.txt",
	} {
		w.source.Put(key, awsfake.SyntheticBody(int64(i%2*40), uint64(i)), awsfake.PutOptions{}) //nolint:gosec // small
	}
	w.source.Put("archive/large.bin", awsfake.SyntheticBody(6<<30, 1), awsfake.PutOptions{
		ContentType: "application/x-tar", Metadata: map[string]string{"origin": "demo"}, Tags: map[string]string{"class": "archive"},
	})
}

// change overwrites three objects, adds two and removes one, as a live source does. It returns how many of each.
func (w *world) change() (changed, added, removed int) {
	keys := w.source.Keys()
	for _, key := range keys[:min(3, len(keys))] {
		w.source.Put(key, awsfake.BytesBody([]byte("changed at "+time.Now().UTC().Format(time.RFC3339Nano))), awsfake.PutOptions{})
		changed++
	}
	for _, key := range []string{"new/first.txt", "new/second.txt"} {
		w.source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{})
		added++
	}
	if len(keys) > 3 {
		w.source.Delete(keys[len(keys)-1])
		removed++
	}
	return changed, added, removed
}

// revoke takes the consumer out of the owner's key policy.
func (w *world) revoke() { w.ownerKey.SetPolicy(w.ownerPolicy) }

// demoDocument fills in the ARNs of a policy.
func demoDocument(text string, w *world) *iam.Document {
	replace := []string{
		"{source}", demoSource, "{copy}", demoCopy, "{owner}", demoOwner, "{external-id}", demoExternalID,
		"{consumer-user}", w.consumer.ARN, "{owner-key}", w.ownerKey.ARN(), "{consumer-key}", w.consumerKey.ARN(),
		"{role}", "arn:aws:iam::" + demoConsumer + ":role/" + demoRole,
	}
	return iam.MustParse(strings.NewReplacer(replace...).Replace(text))
}
