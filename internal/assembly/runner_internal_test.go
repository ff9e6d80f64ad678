package assembly

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/config/value"
	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/iam"
	"syncd/internal/syncer"
	"syncd/internal/transfer"
)

// assumed records when sessions were requested from STS.
type assumed struct {
	http.RoundTripper
	mu sync.Mutex
	at []time.Time
}

func (a *assumed) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	a.at = append(a.at, time.Now())
	a.mu.Unlock()
	return a.RoundTripper.RoundTrip(r)
}

// busiest returns the maximum number of calls within one second.
func (a *assumed) busiest() (most int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.SortFunc(a.at, time.Time.Compare)
	for i, from := 0, 0; i < len(a.at); i++ {
		for a.at[i].Sub(a.at[from]) >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// TestSessionsAreSpaced checks that hundreds of mappings request fewer than 50 sessions per second
// from STS if their passes are due at the same moment and each has a chain of two roles, and that
// they request no sessions while their sessions are valid.
func TestSessionsAreSpaced(t *testing.T) {
	const mappings, hops = 300, 2
	synctest.Test(t, func(t *testing.T) {
		cloud := awsfake.New(awsfake.Options{})
		consumer := cloud.Account("222222222222")
		user := consumer.AdminUser()
		hub := consumer.CreateRole("hub", trustOf(user.ARN), awsfake.RoleOptions{})
		hub.SetPolicies(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`))
		asked := &assumed{RoundTripper: cloud.RoundTripper()}
		pace, c := &spacing{perSecond: stsRate}, &config.Config{Roles: map[string]config.Role{}}
		role := func(arn, via string) config.Role {
			r := config.DefaultRole()
			r.ARN, r.Via = arn, via
			return r
		}
		c.Roles["hub"] = role(hub.ARN, "")
		var all []*sessions
		for i := range mappings {
			name := fmt.Sprintf("tenant-%04d", i)
			c.Roles[name] = role(consumer.CreateRole(name, trustOf(hub.ARN), awsfake.RoleOptions{}).ARN, "hub")
			m := config.Mapping{Source: config.Source{Role: name}, Destination: config.Destination{Role: name}}
			set, err := creds.New(t.Context(), creds.Options{
				Roles: map[string]config.Role{"hub": c.Roles["hub"], name: c.Roles[name]}, HTTPClient: &http.Client{Transport: asked},
				EndpointURL: "http://127.0.0.1", Ambient: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, ""),
			})
			if err != nil {
				t.Fatal(err)
			}
			at, err := set.Config(name, "us-east-1")
			if err != nil {
				t.Fatal(err)
			}
			sides := map[string]aws.CredentialsProvider{"source": at.Credentials, "destination": at.Credentials}
			all = append(all, &sessions{sides: sides, calls: sessionsOf(c, m), pace: pace, now: time.Now})
		}
		getAll := func() {
			var getting sync.WaitGroup
			for _, s := range all {
				getting.Go(func() {
					if err := s.get(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			getting.Wait()
		}
		getAll()
		if n := len(asked.at); n != mappings*hops {
			t.Errorf("got %d calls of STS, want %d", n, mappings*hops)
		}
		if most := asked.busiest(); most >= 50 || most < 10 {
			t.Errorf("got %d calls in the busiest second, want less than 50", most)
		}
		began := time.Now()
		getAll()
		if n, took := len(asked.at), time.Since(began); n != mappings*hops || took > 0 {
			t.Errorf("got %d more calls and %s, want none for sessions that are good", n-mappings*hops, took)
		}
		time.Sleep(55 * time.Minute)
		getAll()
		if n := len(asked.at); n < 2*mappings || asked.busiest() >= 50 {
			t.Errorf("got %d calls in all, %d in the busiest second, want new sessions and less than 50", n, asked.busiest())
		}
	})
}

// TestReadyReachesTheBuckets checks that the source is checked before a first pass, that both sides
// are checked after an error, and that any response is sufficient.
func TestReadyReachesTheBuckets(t *testing.T) {
	trouble := &awserr.AnswerError{Class: awserr.Transient}
	for _, tt := range []struct {
		name   string
		hasRun bool
		last   error
		fault  awsfake.FaultKind
		silent string // the bucket whose requests get the fault, "" for both
		asked  int64
		want   string
	}{
		{"a first pass", false, nil, awsfake.None, "", 1, ""},
		{"a first pass, no answer", false, nil, awsfake.Timeout, "", 1, "reach the source: no answer within 1m0s"},
		{"a first pass, denied", false, nil, awsfake.AccessDenied, "", 1, ""},
		{"a first pass, the destination does not answer", false, nil, awsfake.Timeout, "consumer-copy", 1, ""},
		{"after trouble", true, trouble, awsfake.None, "", 2, ""},
		{"after trouble, no answer", true, trouble, awsfake.Timeout, "", 1, "reach the source: no answer within 1m0s"},
		{"after trouble, the destination does not answer", true, trouble, awsfake.Timeout, "consumer-copy", 2, "reach the destination: no answer within 1m0s"},
		{"after its turn was over, the destination does not answer", true, syncer.ErrDrained, awsfake.Timeout, "consumer-copy", 2, "reach the destination: no answer within 1m0s"},
		{"after a pass that was well", true, nil, awsfake.Timeout, "", 0, ""},
		{"after one that was denied", true, &awserr.AnswerError{Class: awserr.Denied}, awsfake.Timeout, "", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := awsfake.New(awsfake.Options{})
				owner := cloud.Account("111111111111")
				owner.CreateBucket("owner-data", "us-east-1", awsfake.BucketOptions{})
				owner.CreateBucket("consumer-copy", "us-east-1", awsfake.BucketOptions{})
				user := owner.AdminUser()
				cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: tt.silent, Kind: tt.fault})
				client := s3.New(s3.Options{
					Region: "us-east-1", HTTPClient: &http.Client{Transport: cloud.RoundTripper()},
					Credentials: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, ""),
				})
				r := &Runner{hasRun: tt.hasRun, last: tt.last, source: client, destination: client}
				r.to = transfer.Place{Bucket: "consumer-copy", Account: "111111111111"}
				r.from = transfer.Place{Bucket: "owner-data", Account: "111111111111"}
				err := r.reach(t.Context())
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want) || awserr.Classify(err) != awserr.Transient) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				asked := min(cloud.BucketRequests("owner-data")["ListObjectsV2"], 1) + min(cloud.BucketRequests("consumer-copy")["ListObjectsV2"], 1)
				if asked != tt.asked {
					t.Errorf("got %d buckets asked, want %d", asked, tt.asked)
				}
			})
		})
	}
}

func TestPassesFor(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		name     string
		setting  value.AutoInt
		mappings int
		memory   int64
		cpus     int
		want     int
	}{
		{"no limit of memory", 0, 1000, math.MaxInt64, 2, 32},
		{"memory for more than the CPUs want", 0, 1000, 16 << 30, 2, 32},
		{"what deploy/ gives it", 0, 4, 900 * mib, 4, 42},
		{"and a thousand mappings", 0, 1000, 900 * mib, 4, 22},
		{"little memory", 0, 10, 250 * mib, 4, 2},
		{"a number", 7, 10, 250 * mib, 4, 7},
	} {
		if got := passesFor(tt.setting, tt.mappings, tt.memory, tt.cpus); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// trustOf returns the trust policy of a role that the principal may assume.
func trustOf(arn string) *iam.Document {
	return iam.MustParse(strings.ReplaceAll(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"{arn}"},"Action":"sts:AssumeRole"}]}`, "{arn}", arn))
}
