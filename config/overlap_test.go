package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"syncd/config"
)

// manyMappings returns a configuration with one mapping for each destination prefix.
func manyMappings(prefixes []string) string {
	var b strings.Builder
	b.WriteString("state: file:state\nmappings:\n")
	for i, prefix := range prefixes {
		fmt.Fprintf(&b, "  - {name: m%d, source: {bucket: owner-data, region: us-west-2, account: \"111111111111\"}, "+
			"destination: {bucket: consumer-copy, prefix: %q, region: us-west-2, account: \"222222222222\", "+
			"kms_key: \"arn:aws:kms:us-west-2:222222222222:key/1a2b\"}}\n", i, prefix)
	}
	return b.String()
}

// TestOverlappingDestinations checks that destinations are rejected if and only if one prefix
// begins with another.
func TestOverlappingDestinations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefixes := rapid.SliceOfN(rapid.StringMatching(`[ab/]{1,5}`), 1, 6).Draw(t, "prefixes")
		overlap := false
		for i, p := range prefixes {
			for _, q := range prefixes[:i] {
				overlap = overlap || strings.HasPrefix(p, q) || strings.HasPrefix(q, p)
			}
		}
		_, err := config.Parse([]byte(manyMappings(prefixes)), "syncd.yaml")
		if (err != nil) != overlap {
			t.Errorf("%q: got %v, want a fault: %v", prefixes, err, overlap)
		}
	})
}

// TestEndpointsSeparateBuckets checks that one bucket name at two services means two buckets.
func TestEndpointsSeparateBuckets(t *testing.T) {
	text := strings.Replace(manyMappings([]string{"a/", "a/b/"}), "{bucket: consumer-copy,", "{bucket: consumer-copy, endpoint_url: \"https://s3.example.net\",", 1)
	if _, err := config.Parse([]byte(text), "syncd.yaml"); err != nil {
		t.Errorf("got %v, want no fault", err)
	}
}

// TestManyMappings checks configurations of a thousand mappings, with and without faults.
func TestManyMappings(t *testing.T) {
	prefixes := make([]string, 1000)
	for i := range prefixes {
		prefixes[i] = fmt.Sprintf("tenant-%d/", i)
	}
	good := manyMappings(prefixes)
	if c, err := config.Parse([]byte(good), "syncd.yaml"); err != nil || len(c.Mappings) != len(prefixes) {
		t.Errorf("got error %v", err)
	}
	bad := strings.ReplaceAll(good, "region: us-west-2", "region: nowhere")
	text := fmt.Sprint(faultsIn(t, bad))
	if got := strings.Count(text, "is not a region"); got < 50 || !strings.HasSuffix(text, "there may be more faults, which are not listed; fix these first") {
		t.Errorf("got %d faults, want the first hundred and that there may be more:\n%s", got, text[len(text)-200:])
	}
}

// TestAliasesAreBounded checks that a file with nested merge keys, which expand exponentially, is
// rejected before memory runs out.
func TestAliasesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("roles:\n  r0: {arn: \"arn:aws:iam::111111111111:role/r\", tags: &a0 {k: v}}\n")
	for i := range 5 {
		aliases := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 60), ", ")
		fmt.Fprintf(&b, "  r%d: {arn: \"arn:aws:iam::111111111111:role/r\", tags: &a%d {<<: [%s]}}\n", i+1, i+1, aliases)
	}
	b.WriteString(strings.ReplaceAll(manyMappings([]string{""}), "roles:", ""))
	got := fmt.Sprint(faultsIn(t, b.String()))
	if want := "aliases expand to too many values"; strings.Count(got, want) != 1 {
		t.Errorf("got %s, want once %q", got, want)
	}
}

func faultsIn(t *testing.T, text string) error {
	t.Helper()
	c, err := config.Parse([]byte(text), "syncd.yaml")
	if err == nil {
		t.Fatalf("got %v, want faults", c)
	}
	return err
}

// TestPartitionsSeparateBuckets checks that one bucket name in two partitions of AWS means two
// buckets, but in two regions of one partition means one bucket.
func TestPartitionsSeparateBuckets(t *testing.T) {
	const there = "prefix: \"a/b/\", region: us-west-2,"
	for region, arn := range map[string]string{"us-gov-west-1": "arn:aws-us-gov:kms:us-gov-west-1:222222222222:", "eu-west-1": "arn:aws:kms:eu-west-1:222222222222:"} {
		text := manyMappings([]string{"a/", "a/b/"})
		at := strings.LastIndex(text, there)
		text = text[:at] + strings.NewReplacer("us-west-2", region, "arn:aws:kms:us-west-2:222222222222:", arn).Replace(text[at:])
		_, err := config.Parse([]byte(text), "syncd.yaml")
		if apart := region == "us-gov-west-1"; (err == nil) != apart {
			t.Errorf("%s: got %v, want buckets apart: %v", region, err, apart)
		}
	}
}

// TestStateAccount checks the owner of the state bucket.
func TestStateAccount(t *testing.T) {
	const role = "roles: {r: {arn: \"arn:aws:iam::333333333333:role/r\"}}\n"
	for name, tt := range map[string]struct{ head, want string }{
		"named":                   {"checkpoint: {account: \"444444444444\", role: r}\n" + role, "444444444444"},
		"of its role":             {"checkpoint: {role: r}\n" + role, "333333333333"},
		"on a compatible service": {"checkpoint: {role: r, endpoint_url: \"https://s3.example.net\"}\n" + role, ""},
		"at a spelled-out AWS":    {"checkpoint: {role: r, endpoint_url: \"https://s3.us-west-2.amazonaws.com\"}\n" + role, "333333333333"},
	} {
		text := tt.head + strings.Replace(manyMappings([]string{"a/"}), "state: file:state", "state: s3://consumer-state/syncd/", 1)
		c, err := config.Parse([]byte(text), "syncd.yaml")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := c.StateAccount(); got != tt.want {
			t.Errorf("%s: got account %q, want %q", name, got, tt.want)
		}
	}
}

// TestBucketsInEndpoints checks endpoints that contain the name of a bucket. The service would use
// that bucket and take the configured bucket as a part of the key, so a write could overwrite the
// state.
func TestBucketsInEndpoints(t *testing.T) {
	const minio, bucketOfS3 = "https://minio.example.net", "names a bucket"
	for _, tt := range []struct{ state, destination, want string }{
		{"", "https://consumer-state.s3.us-west-2.amazonaws.com", bucketOfS3},
		{"", "https://Consumer-State.S3.dualstack.us-west-2.amazonaws.com.", bucketOfS3},
		{"", "https://dotted.name.s3.amazonaws.com", bucketOfS3},
		{"", "https://point-222222222222.s3-accesspoint.us-west-2.amazonaws.com", bucketOfS3},
		{"", "https://consumer-state.bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com", bucketOfS3},
		{"", "https://s3.us-west-2.amazonaws.com/consumer-state", bucketOfS3},
		{"", "https://s3.us-west-2.amazonaws.com//", ""},
		{minio, minio + "/consumer-state", "overlaps"},
		{minio, minio + "/x/consumer-state/", "overlaps"},
		{minio, minio + "/%63onsumer-state", "overlaps"},
		{minio, "https://Consumer-State.minio.example.net", "overlaps"},
		{minio + "/consumer-copy", minio, "overlaps"},
		{"https://consumer-copy.minio.example.net:9000", minio + ":9000", "overlaps"},
		{minio, minio, ""},
		{minio, minio + "/consumer-stat", ""},
		// consumer-state is a part of the host's own name here, not a bucket.
		{"https://consumer-state.example.net", "https://consumer-state.example.net", ""},
	} {
		head := "checkpoint: {account: \"222222222222\"}\n"
		if tt.state != "" {
			head = "checkpoint: {endpoint_url: \"" + tt.state + "\"}\n"
		}
		text := strings.NewReplacer("file:state", "s3://consumer-state/syncd/", "{bucket: consumer-copy,", "{bucket: consumer-copy, endpoint_url: \""+tt.destination+"\",").
			Replace(manyMappings([]string{""}))
		_, err := config.Parse([]byte(head+text), "syncd.yaml")
		if tt.want == "" && err != nil || tt.want != "" && !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("state at %q, destination at %s: got %v, want %q", tt.state, tt.destination, err, tt.want)
		}
	}
}

// TestCircles checks that mappings are rejected if and only if the copies of one of them return to
// its source through other mappings.
func TestCircles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type end struct{ bucket, prefix string }
		ends := rapid.Custom(func(t *rapid.T) end {
			return end{rapid.SampledFrom([]string{"abc", "abd"}).Draw(t, "bucket"), rapid.StringMatching(`[ab]{0,3}`).Draw(t, "prefix")}
		})
		overlap := func(a, b end) bool {
			return a.bucket == b.bucket && (strings.HasPrefix(a.prefix, b.prefix) || strings.HasPrefix(b.prefix, a.prefix))
		}
		n := rapid.IntRange(1, 5).Draw(t, "mappings")
		sources, destinations := make([]end, n), make([]end, n)
		var text strings.Builder
		text.WriteString("state: file:state\nmappings:\n")
		reach := make([][]bool, n)
		for i := range n {
			sources[i], destinations[i] = ends.Draw(t, "source"), ends.Draw(t, "destination")
			fmt.Fprintf(&text, "  - {name: m%d, source: {bucket: %s, prefix: %q, region: us-west-2, account: \"111111111111\"}, "+
				"destination: {bucket: %s, prefix: %q, region: us-west-2, account: \"222222222222\", kms_key: \"arn:aws:kms:us-west-2:222222222222:key/1a2b\"}}\n",
				i, sources[i].bucket, sources[i].prefix, destinations[i].bucket, destinations[i].prefix)
		}
		for i := range n {
			reach[i] = make([]bool, n)
			for j := range n {
				reach[i][j] = i != j && overlap(destinations[i], sources[j]) && sources[i] != sources[j]
			}
		}
		for k := range n {
			for i := range n {
				for j := range n {
					reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
				}
			}
		}
		want := false
		for i := range n {
			want = want || reach[i][i]
		}
		_, err := config.Parse([]byte(text.String()), "syncd.yaml")
		// Parse reports at most one fault for each destination. If a destination of the circle
		// already has a fault, the circle is not reported. So for a circle any fault is enough.
		got := strings.Contains(fmt.Sprint(err), "copied back")
		if got && !want || want && err == nil {
			t.Errorf("got %v, want a circle: %v\n%s", err, want, text.String())
		}
	})
}

// TestTenThousandMappings checks a configuration that copies ten thousand sources into one bucket,
// and this bucket into another.
func TestTenThousandMappings(t *testing.T) {
	prefixes := make([]string, 10_000)
	for i := range prefixes {
		prefixes[i] = fmt.Sprintf("tenant-%d/", i)
	}
	lines := strings.SplitAfter(manyMappings(prefixes), "\n")
	onward := strings.NewReplacer("bucket: consumer-copy", "bucket: consumer-archive", "bucket: owner-data", "bucket: consumer-copy")
	for i := 5002; i < len(lines); i++ {
		lines[i] = onward.Replace(lines[i])
	}
	begun := time.Now()
	c, err := config.Parse([]byte(strings.Join(lines, "")), "syncd.yaml")
	if err != nil || len(c.Mappings) != len(prefixes) {
		t.Errorf("got %.300v, want no fault", err)
	}
	t.Logf("read in %s", time.Since(begun))
}
