package deploytest_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

const (
	liveOwner    = "111111111111"
	liveConsumer = "222222222222"
	liveRegion   = "us-east-1"
	farRegion    = "us-west-2"
	// fleetingLife is the lifetime that STS's responses report for the sessions of one role. The
	// test changes the responses, because a request cannot ask for less than 15 minutes.
	fleetingLife = 40 * time.Second
)

// liveMappings returns the additional lines of configuration of each mapping of the live test, by
// name. The name describes the mapping's problem.
func liveMappings() map[string]string {
	return map[string]string{
		"healthy": "", "set-aside": "", "throttled": "", "kms": "", "revoked": "", "stranger": "", "fleeting": "", "stuck": "",
		"held": "", "unwritable": "",
		"damaged":     "    verify: {schedule: \"@every 1s\"}\n",
		"growing":     "    copy: {concurrency: 1}\n",
		"withheld":    "    delete: {enabled: true, after_passes: 1, max_objects: 0}\n",
		"undeletable": "    delete: {enabled: true, after_passes: 1, max_percent: 100}\n",
	}
}

// regionOf returns the Region of a mapping's copy. KMS limits apply per account and Region, so the
// mapping that KMS throttles has a separate Region.
func regionOf(name string) string {
	if name == "kms" {
		return farRegion
	}
	return liveRegion
}

// liveWorld contains two accounts on a loopback port, with a pair of buckets for each mapping, and
// the program that copies between the buckets.
type liveWorld struct {
	cloud               *awsfake.Cloud
	user                *awsfake.User
	fleeting            *awsfake.Role
	keys                map[string]*awsfake.Key    // by region
	source, destination map[string]*awsfake.Bucket // by mapping
	program, config     string
}

func newLiveWorld(t *testing.T) *liveWorld {
	t.Helper()
	w := &liveWorld{cloud: awsfake.New(awsfake.Options{}), source: map[string]*awsfake.Bucket{}, destination: map[string]*awsfake.Bucket{}}
	owner, consumer := w.cloud.Account(liveOwner), w.cloud.Account(liveConsumer)
	w.user = consumer.AdminUser()
	trust := iam.MustParse(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "` + w.user.ARN + `"}, "Action": "sts:AssumeRole"}}`)
	all := iam.MustParse(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}}`)
	consumer.CreateRole("syncd", trust, awsfake.RoleOptions{}).SetPolicies(all)
	w.fleeting = consumer.CreateRole("fleeting", trust, awsfake.RoleOptions{})
	w.fleeting.SetPolicies(all)
	w.keys = map[string]*awsfake.Key{liveRegion: consumer.CreateKey(liveRegion, nil), farRegion: consumer.CreateKey(farRegion, nil)}
	consumer.CreateBucket("consumer-state", liveRegion, awsfake.BucketOptions{})
	for name := range liveMappings() {
		w.source[name] = owner.CreateBucket("owner-"+name, liveRegion, awsfake.BucketOptions{Policy: grantTo(name, "*")})
		region := regionOf(name)
		w.destination[name] = consumer.CreateBucket("consumer-"+name, region, awsfake.BucketOptions{KeyARN: w.keys[region].ARN(), BucketKey: true})
	}
	w.misbehave(t.Context())
	w.program = filepath.Join(t.TempDir(), "syncd")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", w.program, "./cmd/syncd")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build syncd: %v:\n%s", err, out)
	}
	w.writeConfig(t)
	return w
}

// grantTo returns the policy of an owner's bucket: the consumer's account can list the bucket and
// read the objects whose keys match the pattern readable.
func grantTo(name, readable string) *iam.Document {
	return iam.MustParse(strings.NewReplacer("{consumer}", liveConsumer, "{bucket}", "owner-"+name, "{readable}", readable).Replace(
		`{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "{consumer}"}, "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{bucket}"},
  {"Effect": "Allow", "Principal": {"AWS": "{consumer}"}, "Action": "s3:GetObject*", "Resource": "arn:aws:s3:::{bucket}/{readable}"}
]}`))
}

// misbehave puts objects into the source of each mapping, and causes the problem that the mapping
// is named after.
func (w *liveWorld) misbehave(ctx context.Context) {
	for _, b := range w.source {
		b.Put("open/first", awsfake.BytesBody([]byte("first")), awsfake.PutOptions{})
	}
	for _, name := range deleting() {
		w.source[name].Put("open/second", awsfake.BytesBody([]byte("second")), awsfake.PutOptions{})
	}
	w.source["set-aside"].SetPolicy(grantTo("set-aside", "open/*"))
	for i := range 150 {
		w.source["set-aside"].Put(fmt.Sprintf("closed/%03d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	for i := range 5 {
		w.source["set-aside"].Put(fmt.Sprintf("open/%03d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{StorageClass: "GLACIER"})
	}
	for i := range 12_000 {
		w.source["growing"].Put(fmt.Sprintf("%05d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	// hold delays a request. In the mapping growing, the listing of a page of a thousand objects
	// takes twelve seconds, and a copy takes one second.
	hold := func(d time.Duration) func() {
		return func() {
			select {
			case <-ctx.Done():
			case <-time.After(d):
			}
		}
	}
	for _, f := range []awsfake.Fault{
		{Bucket: "owner-growing", Operation: "ListObjectsV2", Do: hold(12 * time.Second)},
		{Bucket: "consumer-growing", Operation: "CopyObject", Do: hold(time.Second)},
		{Bucket: "consumer-throttled", Operation: "CopyObject", Kind: awsfake.Throttle, Probability: 0.3},
		{Bucket: "consumer-kms", Operation: "CopyObject", Kind: awsfake.ThrottleKMS, Probability: 0.3},
		{Bucket: "consumer-undeletable", Operation: "DeleteObjects", Kind: awsfake.AccessDenied},
		{Bucket: "consumer-stuck", Operation: "CopyObject", Kind: awsfake.Timeout},
		{Bucket: "consumer-state", Operation: "PutObject", Key: "syncd/unwritable/lock", Kind: awsfake.AccessDenied},
	} {
		w.cloud.Inject(f)
	}
}

// deleting returns the mappings of whose objects one is deleted.
func deleting() []string { return []string{"withheld", "undeletable"} }

// feed adds objects to the working mappings at a steady rate until the test ends, and deletes an object of
// some mappings once it is copied, and the copy of an object of another.
func (w *liveWorld) feed(t *testing.T) {
	t.Helper()
	var feeding sync.WaitGroup
	ctx := t.Context()
	t.Cleanup(feeding.Wait)
	feeding.Go(func() {
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for _, name := range deleting() {
				if _, isCopied := w.destination[name].Object("open/first"); isCopied {
					w.source[name].Delete("open/first")
				}
			}
			w.destination["damaged"].Delete("open/first")
			for _, name := range []string{"healthy", "throttled", "kms", "fleeting"} {
				w.source[name].Put(fmt.Sprintf("open/%05d", i), awsfake.BytesBody([]byte("fed")), awsfake.PutOptions{})
			}
		}
	})
}

// writeConfig writes the configuration of all mappings, with an endpoint for all requests, and a
// second STS endpoint, for the role fleeting, whose sessions are short.
func (w *liveWorld) writeConfig(t *testing.T) {
	t.Helper()
	door := serve(t, w.cloud)
	text := fmt.Sprintf(`http: {listen: "127.0.0.1:0"}
state: s3://consumer-state/syncd/
aws: {endpoint_url: %[1]q, path_style: true}
checkpoint: {flush_interval: 1s, lease: 15s, region: %[4]s}
roles:
  syncd: {arn: "arn:aws:iam::%[2]s:role/syncd"}
  stranger: {arn: "arn:aws:iam::%[2]s:role/no-such-role"}
  fleeting: {arn: "arn:aws:iam::%[2]s:role/fleeting", duration: 15m, endpoint_url: %[3]q}
mappings:
`, door, liveConsumer, serve(t, shortLived(w.cloud)), liveRegion)
	mappings := liveMappings()
	for _, name := range slices.Sorted(maps.Keys(mappings)) {
		role := "syncd"
		if name == "stranger" || name == "fleeting" {
			role = name
		}
		text += fmt.Sprintf(`  - name: %s
    source: {bucket: owner-%[1]s, region: %[2]s, account: %[3]q, role: %[4]s}
    destination: {bucket: consumer-%[1]s, region: %[5]s, account: %[6]q, role: %[4]s, kms_key: %[7]q}
    schedule: "@every 1s"
`, name, liveRegion, liveOwner, role, regionOf(name), liveConsumer, w.keys[regionOf(name)].ARN()) + mappings[name]
	}
	w.config = filepath.Join(t.TempDir(), "syncd.yaml")
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve serves a handler on a loopback port until the test ends, and returns its URL.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// shortLived forwards requests, and shortens the expiry of each session in the responses.
func shortLived(cloud http.Handler) http.Handler {
	expiration := regexp.MustCompile(`<Expiration>[^<]*</Expiration>`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		cloud.ServeHTTP(recorded, r)
		end := "<Expiration>" + time.Now().Add(fleetingLife).UTC().Format(time.RFC3339) + "</Expiration>"
		body := expiration.ReplaceAllString(recorded.Body.String(), end)
		for name, values := range recorded.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write([]byte(body)) // the client may have disconnected
	})
}

// run starts the daemon.
func (w *liveWorld) run(t *testing.T, args ...string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), w.program, append([]string{"run", "--config", w.config}, args...)...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+w.user.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+w.user.SecretAccessKey,
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_SESSION_TOKEN=", "AWS_PROFILE=")
	return startChild(t, cmd, regexp.MustCompile(`"address":"([^"]+)"`))
}

// breakConfig writes a configuration that the daemon rejects, and makes the daemon reload it.
func (w *liveWorld) breakConfig(t *testing.T, daemon *child) {
	t.Helper()
	if err := os.WriteFile(w.config, []byte("mappings: [{name: UPPER}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := daemon.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// distrust removes the bucket policy of the source of the mapping revoked. It also changes the
// trust policy of the role fleeting, so that the daemon's user can no longer assume the role.
func (w *liveWorld) distrust() {
	w.source["revoked"].SetPolicy(nil)
	w.fleeting.SetTrust(iam.MustParse(`{"Version": "2012-10-17", "Statement":
  {"Effect": "Allow", "Principal": {"AWS": "` + liveOwner + `"}, "Action": "sts:AssumeRole"}}`))
}
