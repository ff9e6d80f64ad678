// Package demo simulates two AWS accounts: an owner with a bucket, and a consumer who keeps a copy
// of it under their own KMS key.
//
// The requests are real. They go over loopback to a fake of AWS in this process, which enforces
// policies. Tell runs syncd between the accounts and prints what happens. Serve keeps the accounts
// running for other programs, and writes shell settings with which these programs use the accounts.
//
// Package awsfake implements the fake, and package assembly builds the mapping. A World is the two
// accounts behind one endpoint.
package demo

import (
	"context"
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

	"syncd/internal/arn"
	"syncd/internal/assembly"
	"syncd/internal/awsfake"
	"syncd/internal/daemon/web"
	"syncd/internal/exit"
	"syncd/internal/iam"
)

// The accounts and their resources.
const (
	Region     = "us-east-1"
	Owner      = "111111111111"
	Consumer   = "222222222222"
	Source     = "owner-data"
	Copy       = "consumer-copy"
	Role       = "syncd-consumer"
	Mapping    = "owner-to-consumer"
	ExternalID = "demo-external-id-5f1c"
)

// Options are the options of Tell and Serve: the flags of `syncd demo`. From is the folder with the
// files for the source; "" means generated objects. Address, Dir and Empty are for Serve, JSON is
// for Tell.
type Options struct {
	From, Address, Dir string
	JSON, Empty        bool
}

// World is two AWS accounts behind one endpoint: an owner with a bucket, and a consumer who may
// read it through a role. An empty World has only the administrators.
type World struct {
	Cloud                      *awsfake.Cloud
	Owner, Consumer            *awsfake.User
	OwnerKey, ConsumerKey      *awsfake.Key
	Source, Destination        *awsfake.Bucket
	Role                       *awsfake.Role
	Endpoint                   string
	Authority                  []byte        // the certificate authority of the endpoint, in PEM; nil without TLS
	ownerPolicy, GrantedPolicy *iam.Document // the owner's key policy without and with the consumer
}

// NewEmptyWorld returns two accounts that have only an administrator.
func NewEmptyWorld(now func() time.Time) *World {
	w := &World{Cloud: awsfake.New(awsfake.Options{Now: now})}
	w.Owner, w.Consumer = w.Cloud.Account(Owner).AdminUser(), w.Cloud.Account(Consumer).AdminUser()
	return w
}

// NewWorld returns two accounts with buckets, keys, a role and policies.
func NewWorld(now func() time.Time) *World {
	w := NewEmptyWorld(now)
	owner, consumer := w.Cloud.Account(Owner), w.Cloud.Account(Consumer)
	w.ConsumerKey = consumer.CreateKey(Region, nil)
	w.OwnerKey = owner.CreateKey(Region, nil)
	w.Role = consumer.CreateRole(Role, Document(TrustPolicy, w), awsfake.RoleOptions{})
	w.Role.SetPolicies(Document(permissions, w))
	w.ownerPolicy, w.GrantedPolicy = Document(OwnerKeyPolicy, w), Document(grantedKeyPolicy, w)
	w.OwnerKey.SetPolicy(w.GrantedPolicy)
	w.Source = owner.CreateBucket(Source, Region, awsfake.BucketOptions{KeyARN: w.OwnerKey.ARN(), Policy: Document(bucketPolicy, w)})
	w.Destination = consumer.CreateBucket(Copy, Region, awsfake.BucketOptions{KeyARN: w.ConsumerKey.ARN(), BucketKey: true})
	return w
}

// Listen serves the accounts on a loopback address until the returned func is called.
func (w *World) Listen(ctx context.Context, address string) (closeServer func() error, err error) {
	listener, err := w.Bind(ctx, address)
	if err != nil {
		return nil, err
	}
	return w.Serve(ctx, listener), nil
}

// Bind listens on a loopback address. Clients can connect, but wait until Serve is called.
func (w *World) Bind(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, exit.WithHint(exit.Usage(fmt.Errorf("serve demo: %w", err)), "set --serve to an address such as 127.0.0.1:9000")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, exit.WithHint(exit.Usage(fmt.Errorf("serve demo on %s: not a loopback address", address)), "set --serve to an address such as 127.0.0.1:9000")
	}
	listener, err := assembly.Listen(ctx, address)
	if err != nil {
		return nil, exit.WithHint(err, "set --serve to a free address; port 0 selects a free port")
	}
	w.Endpoint = "http://" + listener.Addr().String()
	return listener, nil
}

// Serve serves the accounts until the returned func is called.
func (w *World) Serve(ctx context.Context, listener net.Listener) (closeServer func() error) {
	return web.ServeWith(ctx, &http.Server{Handler: w.Cloud, ReadHeaderTimeout: time.Minute}, listener, func(error) {})
}

// SignIn returns the credentials of the consumer's administrator.
func (w *World) SignIn() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(w.Consumer.AccessKeyID, w.Consumer.SecretAccessKey, "")
}

// Requests returns the number of requests to the endpoint, by operation.
func (w *World) Requests() map[string]int64 { return w.Cloud.Requests() }

// Fill puts the files of dir into the source. If dir is "", it generates a varied set of objects.
func (w *World) Fill(dir string) error {
	if dir == "" {
		w.FillVaried()
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
		w.Source.Put(filepath.ToSlash(relative), awsfake.BytesBody(data), awsfake.PutOptions{})
		return err
	})
}

// FillVaried fills the source like a real bucket: many small objects, some with tags and metadata,
// empty objects, one object that is too large for a single CopyObject, and keys that careless tools
// mishandle.
func (w *World) FillVaried() {
	for i := range 200 {
		key := fmt.Sprintf("exports/2026/%02d/part-%05d.csv", i%12+1, i)
		w.Source.Put(key, awsfake.SyntheticBody(int64(500+i*977), uint64(i)), awsfake.PutOptions{ //nolint:gosec // small
			ContentType: "text/csv", Metadata: map[string]string{"row-count": fmt.Sprint(i * 10)}, Tags: map[string]string{"class": "export"},
		})
	}
	for i, key := range []string{
		"awkward/a//b", "awkward/./dot", "awkward/../up", "/leading-slash", "awkward/space and+plus", "awkward/per%cent?query#mark",
		"awkward/grüße-日本語", "awkward/control-\x01", "markers/", "empty.txt",
	} {
		w.Source.Put(key, awsfake.SyntheticBody(int64(i%2*40), uint64(i)), awsfake.PutOptions{}) //nolint:gosec // small
	}
	w.Source.Put("archive/large.bin", awsfake.SyntheticBody(6<<30, 1), awsfake.PutOptions{
		ContentType: "application/x-tar", Metadata: map[string]string{"origin": "demo"}, Tags: map[string]string{"class": "archive"},
	})
}

// change overwrites up to three objects, adds two and removes one, like a live source. It returns
// how many objects it changed, added and removed.
func (w *World) change() (changed, added, removed int) {
	keys := w.Source.Keys()
	for _, key := range keys[:min(3, len(keys))] {
		w.Source.Put(key, awsfake.BytesBody([]byte("changed at "+time.Now().UTC().Format(time.RFC3339Nano))), awsfake.PutOptions{})
		changed++
	}
	for _, key := range []string{"new/first.txt", "new/second.txt"} {
		w.Source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{})
		added++
	}
	if len(keys) > 3 {
		w.Source.Delete(keys[len(keys)-1])
		removed++
	}
	return changed, added, removed
}

// Revoke removes the consumer from the owner's key policy.
func (w *World) Revoke() { w.OwnerKey.SetPolicy(w.ownerPolicy) }

// Document parses a policy after replacing its placeholders with the names of the world.
func Document(text string, w *World) *iam.Document {
	replace := []string{
		"{source}", Source, "{copy}", Copy, "{owner}", Owner, "{external-id}", ExternalID,
		"{consumer-user}", w.Consumer.ARN, "{owner-key}", w.OwnerKey.ARN(), "{consumer-key}", w.ConsumerKey.ARN(),
		"{role}", arn.Role("aws", Consumer, Role),
	}
	return iam.MustParse(strings.NewReplacer(replace...).Replace(text))
}
