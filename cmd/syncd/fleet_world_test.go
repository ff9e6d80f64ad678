//go:build linux

package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/demo"
	"syncd/internal/iam"
	"syncd/internal/transfer"
)

// fleetSite is a site with many tenants and state on S3. Each tenant is a mapping with a separate
// role, destination prefix and ledger. All tenants read the same objects, so that the site needs
// only one set of source objects.
type fleetSite struct {
	*site
	tenants, dead int
	key           *awsfake.Key
}

const fleetState = "consumer-state"

// newFleet starts the accounts with the given number of tenants, and of entries per tenant. The STS
// endpoint of the roles of the last tenants, as many as dead says, never answers.
func newFleet(t *testing.T, tenants, dead, entries int) *fleetSite {
	t.Helper()
	f := &fleetSite{site: &site{World: &demo.World{Cloud: awsfake.New(awsfake.Options{})}, now: time.Now, dir: t.TempDir()}, tenants: tenants, dead: dead}
	owner, consumer := f.Cloud.Account(demo.Owner), f.Cloud.Account(demo.Consumer)
	f.Owner, f.Consumer = owner.AdminUser(), consumer.AdminUser()
	f.key = consumer.CreateKey(demo.Region, nil)
	f.Source = owner.CreateBucket(demo.Source, demo.Region, awsfake.BucketOptions{Policy: iam.MustParse(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"` + demo.Consumer + `"},"Action":"s3:*","Resource":["arn:aws:s3:::` + demo.Source + `","arn:aws:s3:::` + demo.Source + `/*"]}]}`)})
	f.Destination = consumer.CreateBucket(demo.Copy, demo.Region, awsfake.BucketOptions{})
	consumer.CreateBucket(fleetState, demo.Region, awsfake.BucketOptions{})
	anything := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:*"],"Resource":"*"}]}`)
	trust := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + f.Consumer.ARN + `"},"Action":"sts:AssumeRole"}]}`)
	for i := range tenants {
		consumer.CreateRole(tenant(i), trust, awsfake.RoleOptions{}).SetPolicies(anything)
	}
	for i := range entries {
		f.Source.Put(fmt.Sprintf("exports/2026/part-%06d.parquet", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	closeServer, err := f.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closeServer() })
	f.config = filepath.Join(f.dir, "syncd.yaml")
	f.configure(t, "auto", "@every 15m")
	f.copyLedgers(t)
	return f
}

// configure writes the configuration and the credentials of the process.
func (f *fleetSite) configure(t *testing.T, passes, schedule string) {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "state: s3://%s/syncd/\nhttp: {listen: \"127.0.0.1:0\"}\naws: {endpoint_url: %q, path_style: true}\n", fleetState, f.Endpoint)
	fmt.Fprintf(&text, "checkpoint: {account: %q}\npasses: %s\nroles:\n", demo.Consumer, passes)
	for i := range f.tenants {
		at := ""
		if i >= f.tenants-f.dead {
			at = fmt.Sprintf(", endpoint_url: %q", silent(t))
		}
		fmt.Fprintf(&text, "  %s: {arn: \"arn:aws:iam::%s:role/%[1]s\", external_id: none%[3]s}\n", tenant(i), demo.Consumer, at)
	}
	text.WriteString("mappings:\n")
	for i := range f.tenants {
		fmt.Fprintf(&text, "  - name: %s\n    source: {bucket: %s, region: %s, account: %q, role: %[1]s}\n", tenant(i), demo.Source, demo.Region, demo.Owner)
		fmt.Fprintf(&text, "    destination: {bucket: %s, prefix: %s/, region: %s, account: %q, role: %[2]s, kms_key: %[5]q}\n    schedule: %[6]q\n",
			demo.Copy, tenant(i), demo.Region, demo.Consumer, f.key.ARN(), schedule)
	}
	secrets := fmt.Sprintf("[consumer]\naws_access_key_id = %s\naws_secret_access_key = %s\n", f.Consumer.AccessKeyID, f.Consumer.SecretAccessKey)
	for name, content := range map[string]string{"syncd.yaml": text.String(), "credentials": secrets} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// silent returns an endpoint that accepts connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String()
}

// copyLedgers runs a backfill of the first tenant. For every other tenant it writes the ledger that
// a backfill would have written.
func (f *fleetSite) copyLedgers(t *testing.T) {
	t.Helper()
	if got := f.run(t.Context(), "backfill", "--mapping", tenant(0)); got.code != 0 {
		t.Fatalf("got exit %d; stderr:\n%s", got.code, got.stderr)
	}
	store := f.store()
	last, err := record.Latest(t.Context(), store, tenant(0))
	if err != nil {
		t.Fatal(err)
	}
	var entries []record.Entry
	for e, err := range checkpoint.Entries(t.Context(), store, tenant(0)) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	for i := 1; i < f.tenants; i++ {
		o := checkpoint.Options{Mapping: tenant(i), Holder: "test", Fingerprint: strings.Replace(last.Fingerprint, tenant(0)+"/", tenant(i)+"/", 1)}
		if err := writeLedger(t, store, o, entries); err != nil {
			t.Fatal(err)
		}
	}
}

func (f *fleetSite) store() store.Store {
	client := s3.NewFromConfig(aws.Config{
		Region: demo.Region, BaseEndpoint: aws.String("http://aws.invalid"), HTTPClient: &http.Client{Transport: f.Cloud.RoundTripper()},
		Credentials: credentials.NewStaticCredentialsProvider(f.Consumer.AccessKeyID, f.Consumer.SecretAccessKey, ""),
	}, func(o *s3.Options) { o.UsePathStyle = true })
	return s3store.New(client, s3store.Options{Place: transfer.Place{Bucket: fleetState, Prefix: "syncd/", Account: demo.Consumer}})
}

func writeLedger(t *testing.T, store store.Store, o checkpoint.Options, entries []record.Entry) error {
	t.Helper()
	ctx := t.Context()
	ledger, err := checkpoint.Open(ctx, store, o)
	if err != nil {
		return err
	}
	pass, err := ledger.Begin(ctx)
	if err != nil {
		return err
	}
	walk := pass.Walk("")
	for _, e := range entries {
		slot, err := walk.Reserve(ctx, e.Key, record.Rows{})
		if err != nil {
			return err
		}
		slot.Record(e)
	}
	walk.End("")
	if _, err := pass.Commit(ctx); err != nil {
		return err
	}
	return ledger.Close()
}
