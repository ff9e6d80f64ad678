package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncd/config"
	"syncd/config/schedule"
	"syncd/config/secret"
	"syncd/config/value"
)

// minimal is a valid configuration, to which tests add faults.
func minimal(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("examples/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text), "syncd.yaml")
	if err != nil {
		t.Fatalf("parse:\n%v\nin\n%s", err, text)
	}
	return c
}

// compare compares leaf types by their printed form.
func compare() cmp.Option {
	return cmp.Options{
		cmpopts.EquateEmpty(),
		cmpopts.IgnoreUnexported(config.Config{}),
		cmp.Comparer(func(a, b schedule.Schedule) bool { return a.String() == b.String() }),
		cmp.Comparer(func(a, b value.Glob) bool { return a.String() == b.String() }),
		cmp.Comparer(func(a, b secret.ExternalID) bool { return whence(a) == whence(b) }),
	}
}

// whence returns the variable or the file of an external id, which ExternalID.String does not show.
func whence(id secret.ExternalID) (source string) {
	_, _ = id.Resolve(
		func(name string) (string, bool) { source = "env:" + name; return "", false },
		func(path string) ([]byte, error) { source = "file:" + path; return nil, nil },
	)
	if source != "" {
		return source
	}
	return id.String()
}

func examples(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("examples/*.yaml")
	if err != nil || len(paths) < 4 {
		t.Fatalf("got %d examples, err %v", len(paths), err)
	}
	return paths
}

func TestExamplesLoad(t *testing.T) {
	for _, path := range examples(t) {
		if _, err := config.Load(path); err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestParseMinimal(t *testing.T) {
	want := config.Default()
	m := config.DefaultMapping()
	m.Name = "exports"
	m.Source = config.Source{Bucket: "owner-data", Region: "us-west-2", Account: "111111111111"}
	m.Destination.Bucket = "consumer-copy"
	m.Destination.Region = "us-west-2"
	m.Destination.Account = "222222222222"
	m.Destination.KMSKey = "arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
	want.State = "file:state"
	want.Mappings = []config.Mapping{m}
	if diff := cmp.Diff(&want, parse(t, minimal(t)), compare()); diff != "" {
		t.Errorf("parsed configuration (-want +got):\n%s", diff)
	}
}

func TestParseEveryKey(t *testing.T) {
	data, err := os.ReadFile("testdata/every-key.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, string(data))
	pathStyle, virtualHost := true, false
	glob := func(s string) value.Glob { g, _ := value.ParseGlob(s); return g }
	nightly, _ := schedule.Parse("30 3 * * *")
	schedule, _ := schedule.Parse("@every 15m")
	want := &config.Config{
		State:   "s3://consumer-state/syncd/",
		HTTP:    config.HTTP{Listen: "127.0.0.1:9191", Pprof: true, Watchdog: value.Duration(30 * time.Minute), Hosts: []string{"syncd.example.com"}, WebConfig: "web.yaml"},
		Control: config.Control{Socket: "/run/syncd/control.sock"},
		Log:     config.Log{Level: config.LogLevelDebug, Format: config.LogFormatText},
		AWS:     config.AWS{EndpointURL: "https://s3.example.net", PathStyle: true, AllowHTTP: true},
		Checkpoint: config.Checkpoint{
			FlushInterval: value.Duration(30 * time.Second), KeepGenerations: 5, KeepFor: value.Duration(720 * time.Hour),
			Lease: value.Duration(2 * time.Minute), Region: "eu-central-1", Role: "governance", Account: "333333333333",
			KMSKey:      "arn:aws:kms:eu-central-1:333333333333:key/1a2b3c4d",
			EndpointURL: "https://state.example.net", PathStyle: new(false),
		},
		DrainTimeout: value.Duration(2 * time.Minute), Concurrency: 2000, Passes: 24,
		Roles: map[string]config.Role{
			"governance": {
				ARN: "arn:aws:iam::333333333333:role/data-access", SessionName: "syncd",
				Duration: value.Duration(time.Hour), SessionPolicy: config.SessionPolicyNone,
			},
			"consumer": {
				ARN: "arn:aws:iam::222222222222:role/team/syncd-consumer", Via: "governance",
				ExternalID: secret.FileExternalID("/run/secrets/external-id"), SessionName: "syncd-2",
				Tags:           map[string]string{"access-project": "CDO5951", "cost-center": "CDO"},
				TransitiveTags: []string{"access-project"}, SourceIdentity: "syncd", Duration: value.Duration(30 * time.Minute),
				SessionPolicy: config.SessionPolicyScoped, EndpointURL: "https://sts.example.net", Region: "us-west-2",
			},
		},
		Mappings: []config.Mapping{{
			Name: "alice-to-bob",
			Source: config.Source{
				Bucket: "partner-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias", AccessPointARN: "arn:aws:s3:us-west-2:111111111111:accesspoint/partner", UnderlyingBucket: "alice-data",
				Prefix: "exports/", Region: "us-west-2", Account: "111111111111", Role: "consumer",
				EndpointURL: "https://a.example.net", PathStyle: &virtualHost, RequestPayer: true,
			},
			Destination: config.Destination{
				Bucket: "bob-staging", Prefix: "alice/", Region: "us-west-2", Account: "222222222222", Role: "consumer",
				EndpointURL: "https://a.example.net", PathStyle: &pathStyle, KMSKey: "any-form", BucketKey: false, StorageClass: "STANDARD_IA",
			},
			Schedule: schedule, Jitter: value.Duration(30 * time.Second),
			Filter: config.Filter{
				Include: []value.Glob{glob("**")}, Exclude: []value.Glob{glob("_tmp/**")}, MinSize: 1, MaxSize: 50e12,
				ModifiedAfter:  value.Time{Time: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)},
				ModifiedBefore: value.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
			},
			Copy: config.Copy{
				Mode: config.CopyModeServerSide, Concurrency: 64, PartSize: 64 << 20, MultipartAbove: 1 << 30, Tags: config.Tags{Carry: config.CarryOmit},
				Metadata: config.CarryOmit, Annotations: config.CarryCopy, ObjectLock: config.CarryCopy, ObjectLockMax: value.Period(3650 * 24 * time.Hour), ACL: config.ACLBucketOwner, Overwrite: config.OverwriteAny, Checksum: config.ChecksumOff,
			},
			Delete: config.Delete{Enabled: true, AfterPasses: 3, MaxObjects: 10, MaxPercent: 2.5},
			Verify: config.Verify{Schedule: nightly, Sample: 0.5},
			Limits: config.Limits{RequestsPerSecond: 1000, KMSRequestsPerSecond: 500, BytesPerSecond: 1e9, CostUSD: 12.5},
		}},
	}
	if diff := cmp.Diff(want, got, compare()); diff != "" {
		t.Errorf("parsed configuration (-want +got):\n%s", diff)
	}
}

// TestMarshalRoundTrip checks that a configuration can be marshaled as YAML and parsed again,
// except for external ids: not even the names of their files and variables are written.
func TestMarshalRoundTrip(t *testing.T) {
	for _, path := range append(examples(t), "testdata/every-key.yaml") {
		want, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, r := range want.Roles {
			r.ExternalID = secret.ExternalID{}
			want.Roles[name] = r
		}
		text, err := yaml.Marshal(want)
		if err != nil {
			t.Fatalf("%s: marshal: %v", path, err)
		}
		if diff := cmp.Diff(want, parse(t, string(text)), compare()); diff != "" {
			t.Errorf("%s: after a round trip (-want +got):\n%s", path, diff)
		}
	}
}

func TestParseForms(t *testing.T) {
	base := minimal(t)
	for _, tt := range []struct{ name, text string }{
		{"byte order mark", "\ufeff" + base},
		{"carriage returns", strings.ReplaceAll(base, "\n", "\r\n")},
		{"document markers", "%YAML 1.2\n---\n" + base + "...\n"},
		{"trailing marker", base + "---\n# nothing\n"},
		{"JSON", `{"state": "file:state", "mappings": [{"name": "exports",
			"source": {"bucket": "owner-data", "region": "us-west-2", "account": "111111111111"},
			"destination": {"bucket": "consumer-copy", "region": "us-west-2", "account": "222222222222",
			"kms_key": "arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"}}]}`},
		{"scalar alias", strings.Replace(strings.Replace(base, "us-west-2", "&region us-west-2", 1), "region: us-west-2", "region: *region", 1)},
		{"block text", strings.Replace(base, "bucket: owner-data", "bucket: |-\n        owner-data", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(parse(t, base), parse(t, tt.text), compare()); diff != "" {
				t.Errorf("against the plain form (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseMergeKeys(t *testing.T) {
	c, err := config.Load("examples/chain.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, ok := c.Mapping("invoices")
	if !ok {
		t.Fatal("mapping invoices is missing")
	}
	if got, want := m.Destination.Prefix, "invoices/"; got != want {
		t.Errorf("own key: got %q, want %q", got, want)
	}
	if got, want := m.Destination.StorageClass, "INTELLIGENT_TIERING"; got != want {
		t.Errorf("merged key: got %q, want %q", got, want)
	}
	if _, ok := c.Mapping("orders-2"); ok {
		t.Error("found a mapping that is not there")
	}
}

func TestLoadResolvesPaths(t *testing.T) {
	folder := t.TempDir()
	text := minimal(t) + `
http: {web_config: web.yaml}
roles:
  relative: {arn: "arn:aws:iam::111111111111:role/r", external_id: {file: secrets/id}}
  absolute: {arn: "arn:aws:iam::111111111111:role/r", external_id: {file: /run/id}}
  plain: {arn: "arn:aws:iam::111111111111:role/r", external_id: "abc"}
`
	path := filepath.Join(folder, "syncd.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"state": c.State, "web": c.HTTP.WebConfig}
	for name, r := range c.Roles {
		got[name] = whence(r.ExternalID)
	}
	want := map[string]string{
		"state":    "file:" + filepath.Join(folder, "state"),
		"web":      filepath.Join(folder, "web.yaml"),
		"relative": "file:" + filepath.Join(folder, "secrets", "id"),
		"absolute": "file:/run/id",
		"plain":    "[redacted]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	read, err := config.Read(strings.NewReader(text), "<stdin>", folder)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.State, read.State); diff != "" || whence(read.Roles["relative"].ExternalID) != want["relative"] {
		t.Errorf("read from elsewhere: got %s and %s", read.State, whence(read.Roles["relative"].ExternalID))
	}
}

// TestReadNamesWhatWasRead checks that faults name the input, and that a read error is returned.
func TestReadNamesWhatWasRead(t *testing.T) {
	if _, err := config.Read(strings.NewReader("mapings: []\n"), "<stdin>", "."); err == nil || !strings.HasPrefix(err.Error(), "<stdin>:1: mapings: unknown key") {
		t.Errorf("got %v, want the line of <stdin>", err)
	}
	if _, err := config.Read(iotest.ErrReader(os.ErrClosed), "<stdin>", "."); err == nil || err.Error() != "read configuration from <stdin>: file already closed" {
		t.Errorf("got %v", err)
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !os.IsNotExist(unwrap(err)) {
		t.Errorf("got %v, want a not-exist error", err)
	}
}

func unwrap(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return err
}

func TestParseLocation(t *testing.T) {
	for _, tt := range []struct {
		text string
		want config.Location
	}{
		{"file:state", config.Location{Dir: "state"}},
		{"file:/var/lib/syncd", config.Location{Dir: "/var/lib/syncd"}},
		{"file:///var/lib/syncd", config.Location{Dir: "/var/lib/syncd"}},
		{"s3://state-bucket", config.Location{Bucket: "state-bucket"}},
		{"s3://state-bucket/", config.Location{Bucket: "state-bucket"}},
		{"s3://state-bucket/a/b/", config.Location{Bucket: "state-bucket", Prefix: "a/b/"}},
	} {
		got, err := config.ParseLocation(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("ParseLocation(%q): got %+v, %v, want %+v", tt.text, got, err, tt.want)
		}
	}
}
