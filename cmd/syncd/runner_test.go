package main

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
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
	"syncd/internal/checkpoint"
	"syncd/internal/creds"
	"syncd/internal/iam"
	"syncd/internal/syncer"
)

// assumed notes when STS was asked for a session.
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

// busiest returns the most calls within a second.
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

// Hundreds of mappings whose passes are due at the same moment, each with a chain of two roles, ask STS for less than 50 sessions a
// second, and for none while those they have are good.
func TestSessionsAreSpaced(t *testing.T) {
	const mappings, hops = 300, 2
	synctest.Test(t, func(t *testing.T) {
		cloud := awsfake.New(awsfake.Options{})
		consumer := cloud.Account(demoConsumer)
		user := consumer.AdminUser()
		hub := consumer.CreateRole("hub", trusting(user.ARN), awsfake.RoleOptions{})
		hub.SetPolicies(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`))
		asked := &assumed{RoundTripper: cloud.RoundTripper()}
		system := &system{sts: spacing{perSecond: stsRate}, config: &config.Config{Roles: map[string]config.Role{}}}
		role := func(arn, via string) config.Role {
			r := config.DefaultRole()
			r.ARN, r.Via = arn, via
			return r
		}
		system.config.Roles["hub"] = role(hub.ARN, "")
		var all []*sessions
		for i := range mappings {
			name := tenant(i)
			system.config.Roles[name] = role(consumer.CreateRole(name, trusting(hub.ARN), awsfake.RoleOptions{}).ARN, "hub")
			m := config.Mapping{Source: config.Source{Role: name}, Destination: config.Destination{Role: name}}
			set, err := creds.New(t.Context(), creds.Options{
				Roles: map[string]config.Role{"hub": system.config.Roles["hub"], name: system.config.Roles[name]}, HTTPClient: &http.Client{Transport: asked},
				EndpointURL: "http://127.0.0.1", Ambient: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, ""),
			})
			if err != nil {
				t.Fatal(err)
			}
			c, err := set.Config(name, demoRegion)
			if err != nil {
				t.Fatal(err)
			}
			sides := map[string]aws.CredentialsProvider{"source": c.Credentials, "destination": c.Credentials}
			all = append(all, &sessions{sides: sides, calls: system.sessionsOf(m), pace: &system.sts, now: time.Now})
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

func tenant(i int) string { return fmt.Sprintf("tenant-%04d", i) }

// A process that stands by looks at the lease and leaves the passes to those that can have one; it asks for the lease when that looks
// free, and now and then in any case.
func TestReadyFollowsTheLease(t *testing.T) {
	s := newSite(t, nil)
	var later time.Duration
	var stderr lockedBuffer
	p := process{stdout: &stderr, stderr: &stderr, lookupEnv: os.LookupEnv, readFile: os.ReadFile, now: func() time.Time { return time.Now().Add(later) }, ambient: s.signIn()}
	var runners [2]*runner
	for i := range runners {
		system, err := newSystem(t.Context(), p, flags{config: s.config})
		if err != nil {
			t.Fatal(err)
		}
		runners[i] = system.runner(system.mappings[0])
	}
	holder, other := runners[0], runners[1]
	if err := errors.Join(other.Ready(t.Context()), ran(holder.Run(t.Context()))); err != nil {
		t.Fatal(err)
	}
	isHeld := func(err error) bool {
		held, ok := errors.AsType[*checkpoint.LeaseHeldError](err)
		return ok && held.Holder != ""
	}
	if err := ran(other.Run(t.Context())); !isHeld(err) {
		t.Fatalf("got %v of a second process, want the lease held", err)
	}
	if err := other.Ready(t.Context()); !isHeld(err) {
		t.Errorf("got %v while the lease is held, want that", err)
	}
	later += tryLease
	if err := other.Ready(t.Context()); err != nil {
		t.Errorf("got %v when it is time to ask for the lease in any case, want nothing", err)
	}
	if err := ran(other.Run(t.Context())); !isHeld(err) {
		t.Errorf("got %v, want the lease held still", err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.Ready(t.Context()), ran(other.Run(t.Context())), other.Close()); err != nil {
		t.Errorf("got %v when the lease was given back, want a pass", err)
	}
}

func ran(_ syncer.Summary, err error) error { return err }

// Whether the source answers is asked before a first pass, whether both sides do before one that follows trouble, and an answer of any
// kind will do.
func TestReadyReachesTheBuckets(t *testing.T) {
	trouble := &awserr.AnswerError{Class: awserr.Transient}
	for _, tt := range []struct {
		name   string
		hasRun bool
		last   error
		fault  awsfake.FaultKind
		silent string // bucket that the fault is at, "" for both
		asked  int64
		want   string
	}{
		{"a first pass", false, nil, awsfake.None, "", 1, ""},
		{"a first pass, no answer", false, nil, awsfake.Timeout, "", 1, "reach the source: no answer within 30s"},
		{"a first pass, denied", false, nil, awsfake.AccessDenied, "", 1, ""},
		{"a first pass, the destination does not answer", false, nil, awsfake.Timeout, demoCopy, 1, ""},
		{"after trouble", true, trouble, awsfake.None, "", 2, ""},
		{"after trouble, no answer", true, trouble, awsfake.Timeout, "", 1, "reach the source: no answer within 30s"},
		{"after trouble, the destination does not answer", true, trouble, awsfake.Timeout, demoCopy, 2, "reach the destination: no answer within 30s"},
		{"after its turn was over, the destination does not answer", true, syncer.ErrDrained, awsfake.Timeout, demoCopy, 2, "reach the destination: no answer within 30s"},
		{"after a pass that was well", true, nil, awsfake.Timeout, "", 0, ""},
		{"after one that was denied", true, &awserr.AnswerError{Class: awserr.Denied}, awsfake.Timeout, "", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := awsfake.New(awsfake.Options{})
				owner := cloud.Account(demoOwner)
				owner.CreateBucket(demoSource, demoRegion, awsfake.BucketOptions{})
				owner.CreateBucket(demoCopy, demoRegion, awsfake.BucketOptions{})
				user := owner.AdminUser()
				cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: tt.silent, Kind: tt.fault})
				client := s3.New(s3.Options{
					Region: demoRegion, HTTPClient: &http.Client{Transport: cloud.RoundTripper()},
					Credentials: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, ""),
				})
				r := &runner{hasRun: tt.hasRun, last: tt.last, source: client, destination: client}
				r.mapping.Destination = config.Destination{Bucket: demoCopy, Account: demoOwner}
				r.mapping.Source = config.Source{Bucket: demoSource, Account: demoOwner}
				err := r.reach(t.Context())
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want) || awserr.Classify(err) != awserr.Transient) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				asked := min(cloud.BucketRequests(demoSource)["ListObjectsV2"], 1) + min(cloud.BucketRequests(demoCopy)["ListObjectsV2"], 1)
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

// trusting is the trust policy of a role that a principal may assume.
func trusting(arn string) *iam.Document {
	return iam.MustParse(strings.ReplaceAll(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"{arn}"},"Action":"sts:AssumeRole"}]}`, "{arn}", arn))
}
