package doctor_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/access/accesstest"
	"syncd/internal/access/doctor"
	"syncd/internal/access/policy"
	"syncd/internal/awsfake"
)

// watched is a transport that records the host of each request, and rejects requests to AWS itself.
type watched struct {
	next http.RoundTripper
	mu   *sync.Mutex
	sent map[string][]string // hosts, by the service in the signatures of the requests
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	service := "sts"
	if strings.Contains(r.Header.Get("Authorization"), "/s3/aws4_request") {
		service = "s3"
	}
	w.mu.Lock()
	if !slices.Contains(w.sent[service], r.URL.Host) {
		w.sent[service] = append(w.sent[service], r.URL.Host)
	}
	w.mu.Unlock()
	if strings.Contains(r.URL.Host, "amazonaws.com") {
		return nil, errors.New("sent to AWS itself")
	}
	return w.next.RoundTrip(r)
}

// watch makes the doctor of a world use a watched transport.
func (x *doctorWorld) watch() map[string][]string {
	w := watched{x.Transport, new(sync.Mutex), map[string][]string{}}
	x.Transport = w
	return w.sent
}

// perSide replaces aws.endpoint_url of a configuration with endpoints for each side.
func perSide(x *doctorWorld) {
	x.Config.AWS.EndpointURL = ""
	for i := range x.Config.Mappings {
		x.Config.Mappings[i].Source.EndpointURL = "http://source.invalid"
		x.Config.Mappings[i].Destination.EndpointURL = "http://destination.invalid"
	}
	x.Config.Checkpoint.EndpointURL = "http://state.invalid"
}

// ambient returns a world whose mapping has no roles: the user itself may do everything.
func ambient(t *testing.T) *doctorWorld {
	t.Helper()
	w := accesstest.Way{Example: "share-account", Options: policy.Options{Style: policy.AccountStyle, Principal: "arn:aws:iam::222222222222:user/task"}}
	return doctored(t, w, func(text string) string { return strings.ReplaceAll(text, "      role: consumer\n", "") })
}

// TestDoctorAsksTheEndpointsOfTheSides checks that, if only the source and the destination have
// endpoints, the doctor requests the identity of the credentials from both endpoints and never
// sends a request to AWS.
func TestDoctorAsksTheEndpointsOfTheSides(t *testing.T) {
	x := ambient(t)
	perSide(x)
	sent := x.watch()
	d := x.diagnose(t)
	for service, hosts := range sent {
		for _, host := range hosts {
			if strings.Contains(host, "amazonaws.com") {
				t.Errorf("got a request of %s to %s, want none to AWS", service, host)
			}
		}
	}
	if !slices.Contains(sent["sts"], "source.invalid") || !slices.Contains(sent["sts"], "destination.invalid") {
		t.Errorf("got STS requests to %q, want the endpoints of both sides", sent["sts"])
	}
	for _, p := range d.Probes {
		if p.Outcome == doctor.OutcomeFailed || p.Outcome == doctor.OutcomeDenied {
			t.Errorf("%s on %s: got %s (%s), want no failed probe", p.Action, p.Resource, p.Outcome, p.Error)
		}
	}
}

// TestDoctorContinuesWithoutAnIdentity checks that, if an endpoint other than AWS has no STS, the
// doctor reports the identity of the credentials at that endpoint as unknown and runs all other
// probes. It reports the unknown identity once for each side with such an endpoint.
func TestDoctorContinuesWithoutAnIdentity(t *testing.T) {
	for name, host := range map[string]string{"one side": "source.invalid", "both": ".invalid"} {
		synctest.Test(t, func(t *testing.T) { // requests to a missing service are retried
			x := ambient(t)
			perSide(x)
			x.Transport = noSTS{x.Transport, host}
			d := x.diagnose(t)
			open, tried := 0, 0
			for _, p := range d.Probes {
				switch {
				case p.Action == "sts:GetCallerIdentity" && p.Outcome != doctor.OutcomeOK:
					open++
					if p.Outcome != doctor.OutcomeUnknown || !strings.Contains(p.Resource, "http://") || p.Error == "" {
						t.Errorf("%s: got %+v, want the outcome unknown, with the endpoint and the reason", name, p)
					}
				case p.Action == "s3:ListBucket" && p.Outcome == doctor.OutcomeOK:
					tried++
				case p.Bad():
					t.Errorf("%s: got %+v, want no failed probe", name, p)
				}
			}
			if want := map[string]int{"one side": 1, "both": 2}[name]; open/len(x.Config.Mappings) != want || tried == 0 {
				t.Errorf("%s: got %d unknown identities and %d allowed listings, want %d unknown identities for each mapping, and some allowed listings", name, open, tried, want)
			}
		})
	}
}

// noSTS responds to STS requests to certain hosts like a service without STS.
type noSTS struct {
	http.RoundTripper
	host string
}

func (n noSTS) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.Header.Get("Authorization"), "/s3/aws4_request") && strings.HasSuffix(r.URL.Host, n.host) {
		return &http.Response{StatusCode: http.StatusMethodNotAllowed, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	return n.RoundTripper.RoundTrip(r)
}

// TestDoctorTriesTheRolesAfterAFailedIdentity checks that the doctor runs the other probes even if
// the identity is unknown or one role cannot be assumed.
func TestDoctorTriesTheRolesAfterAFailedIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the denied request is retried
		x := doctored(t, accesstest.Ways()[2])
		x.Transport = noIdentity{x.Transport}
		d := x.diagnose(t)
		assumed := 0
		for _, p := range d.Probes {
			switch {
			case p.Action == "sts:GetCallerIdentity":
				if p.Outcome == doctor.OutcomeOK {
					t.Errorf("got %+v, want the identity unknown", p)
				}
			case p.Action == "sts:AssumeRole" && p.Outcome == doctor.OutcomeOK:
				assumed++
			case p.Outcome == doctor.OutcomeSkipped:
				t.Errorf("%s on %s: got skipped (%s), want it tried", p.Action, p.Resource, p.Error)
			}
		}
		if assumed == 0 {
			t.Errorf("got no role assumed, want all roles assumed: %s", summary(d))
		}
	})
}

// noIdentity denies GetCallerIdentity, as the policy of a VPC endpoint for STS can.
type noIdentity struct{ http.RoundTripper }

func (n noIdentity) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Identity") == "" && strings.Contains(r.Header.Get("Authorization"), "/sts/aws4_request") && r.ContentLength > 0 && r.ContentLength < 60 {
		return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	return n.RoundTripper.RoundTrip(r)
}

// TestRolesAreAssumedWhereTheirSidesAre checks that a role without its own endpoint is assumed at
// the endpoint of the source and the destination if both have the same one. It is not assumed at an
// endpoint of Amazon S3, which has no STS.
func TestRolesAreAssumedWhereTheirSidesAre(t *testing.T) {
	const here, there, vpce = "http://here.invalid:9000", "http://there.invalid", "https://bucket.vpce-0a1b2c3d-5e6f.s3.us-west-2.vpce.amazonaws.com"
	for _, tt := range []struct{ name, all, source, destination, own, want string }{
		{"nothing set", "", "", "", "", ""},
		{"both sides at one service", "", here, here, "", here},
		{"one side at AWS", "", here, "", "", ""},
		{"both sides at an endpoint of AWS's", "", vpce, vpce, "", ""},
		{"an endpoint of its own", "", here, here, there, there},
		{"the endpoint of all", here, "", "", "", here},
		{"sides apart from all", here, there, there, "", there},
	} {
		c := accesstest.Load(t, "one-role")
		m := c.Mappings[0]
		c.AWS.EndpointURL, m.Source.EndpointURL, m.Destination.EndpointURL = tt.all, tt.source, tt.destination
		role := c.Roles[m.Source.Role]
		role.EndpointURL = tt.own
		c.Roles[m.Source.Role] = role
		if got := c.AssumedRoles(m)[m.Source.Role].EndpointURL; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if c.Roles[m.Source.Role].EndpointURL != tt.own {
			t.Errorf("%s: got the configuration changed", tt.name)
		}
	}
}

// TestDoctorAssumesRolesAtTheSides checks that the doctor assumes a role at the endpoint of the
// source or destination that uses it, not at AWS.
func TestDoctorAssumesRolesAtTheSides(t *testing.T) {
	x := doctored(t, accesstest.Ways()[2])
	perSide(x)
	sent := x.watch()
	d := x.diagnose(t)
	if !d.Healthy() {
		t.Errorf("got %s, want no failed probe", summary(d))
	}
	if len(sent["sts"]) == 0 || slices.ContainsFunc(sent["sts"], func(host string) bool { return strings.Contains(host, "amazonaws") }) {
		t.Errorf("got STS requests to %q, want the endpoints of the sides", sent["sts"])
	}
}

// TestEndpointsAreNamed checks that the doctor warns about endpoints without TLS, and about
// endpoints from the environment. The warnings are not failures.
func TestEndpointsAreNamed(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_S3", "https://found.example.net")
	x := doctored(t, accesstest.Ways()[0])
	x.Config.AWS.EndpointURL = "http://aws.invalid"
	warned := map[string]bool{}
	for _, p := range x.diagnose(t).Probes {
		if p.Feature == doctor.FeatureConnection && p.Outcome == doctor.OutcomeWarning && !p.Bad() {
			warned[p.Resource] = true
		}
	}
	for _, endpoint := range []string{"http://aws.invalid", "https://found.example.net"} {
		if !warned[endpoint] {
			t.Errorf("got warnings of %v, want one of %s", warned, endpoint)
		}
	}
}

// TestNoSTSAtAnEndpointOfS3 checks that the doctor sends no STS requests to an endpoint of Amazon
// S3, even if the configuration names that endpoint.
func TestNoSTSAtAnEndpointOfS3(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // requests to a missing service are retried
		x := doctored(t, accesstest.WayOf(t, "share-role"))
		x.Config.AWS.EndpointURL = "https://s3.us-west-2.amazonaws.com"
		sent := x.watch()
		x.diagnose(t)
		for _, host := range sent["sts"] {
			if !strings.HasPrefix(host, "sts.") {
				t.Errorf("got an STS request to %s, want requests only to endpoints of STS", host)
			}
		}
		if len(sent["sts"]) == 0 {
			t.Error("got no request to STS, want some")
		}
	})
}

// TestDoctorNamesTheClock checks that all requests work with a clock that is an hour off, and that
// the doctor warns about the clock.
func TestDoctorNamesTheClock(t *testing.T) {
	for ahead, want := range map[time.Duration]string{65 * time.Minute: "1h5m0s ahead of", -65 * time.Minute: "1h5m0s behind", 2 * time.Minute: ""} {
		synctest.Test(t, func(t *testing.T) {
			cloud := awsfake.New(awsfake.Options{Now: func() time.Time { return time.Now().Add(-ahead) }, OneClock: true})
			w := accesstest.Way{Example: "share-account", Options: policy.Options{Style: policy.AccountStyle, Principal: "arn:aws:iam::222222222222:user/task"}}
			x := &doctorWorld{accesstest.NewWorldIn(t, cloud, w, func(text string) string { return text + endpointSettings })}
			x.Buckets["owner-data"].SetEncryption(x.OwnerKey.ARN(), false)
			x.Fill(x.Config.Mappings[0])
			said := ""
			for _, p := range x.diagnose(t).Probes {
				if p.Bad() {
					t.Errorf("ahead by %s: %s on %s: %s (%s)", ahead, p.Action, p.Resource, p.Outcome, p.Error)
				}
				if p.Feature == doctor.FeatureClock {
					said += string(p.Outcome) + ": " + p.Error
				}
			}
			if (said == "") != (want == "") || !strings.Contains(said, want) || want != "" && !strings.HasPrefix(said, "warning: ") {
				t.Errorf("ahead by %s: got %q, want %q", ahead, said, want)
			}
		})
	}
}
