// Package creds provides credentials for the roles of the configuration, and keeps them valid.
//
// A role is assumed once, and all clients of a mapping share its session. Mappings share only the
// ambient credentials, certificates and connections. A session is renewed well before it expires.
// If a renewal fails, the old session is used until it expires. If a service rejects a session as
// expired, the session is renewed once. The same applies to the ambient credentials. Expiry is
// measured from the time of the response, so a wrong local clock does no harm. Every retrieval has
// a time limit, and requests to this machine or to a link-local address never use a proxy.
//
// Roles named by via are assumed in order. Session tags, transitive tags, source identity and
// ExternalId are sent as configured; the ExternalId is read each time. A role that requires a
// session policy is never assumed without that policy, which the caller provides.
//
// Errors about credentials are of type *awserr.CredentialsError, which names the role, the refused
// action and what to check. They never contain the ExternalId.
//
// Two terms: the ambient credentials are the ones that the process finds in its environment (a task
// role, a service account, a profile); a session is the temporary credentials of an assumed role.
package creds

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"syncd/config"
	"syncd/internal/admit"
	"syncd/internal/deadline"
)

// Set contains the credentials of one mapping's roles.
type Set struct {
	o      Options
	base   aws.Config
	shared *base
	given  *session // session of Options.Ambient, or nil

	mu       sync.Mutex
	sessions map[string]*session // by role name
}

// New loads the ambient configuration and returns a Set. It sends no request.
func New(ctx context.Context, o Options) (*Set, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Admission == nil {
		o.Admission = admit.New()
	}
	if o.Shared == nil {
		o.Shared = new(Shared)
	}
	shared, err := o.Shared.base(ctx, o)
	if err != nil {
		return nil, err
	}
	base := shared.config.Copy()
	base.HTTPClient, base.Logger = shared, sdkLogger(o.Logger) //nolint:contextcheck // the SDK gives no context to log with
	if o.HTTPClient != nil {
		base.HTTPClient = o.HTTPClient
	}
	// Every client of the program is created from this configuration, so that every response is
	// checked.
	base.APIOptions = []func(*middleware.Stack) error{o.Admission.Attach, newPlain(o).attach, o.Shared.Clock.watch(o.Now, o.Logger), deadline.Attach, newWay(o, transportIn(base.HTTPClient)).attach}
	s := &Set{o: o, base: base, shared: shared, sessions: map[string]*session{}}
	if o.Ambient != nil {
		s.given = ambientSession(o, func(context.Context) (aws.CredentialsProvider, source, error) {
			if cache, ok := o.Ambient.(*aws.CredentialsCache); ok {
				cache.Invalidate()
			}
			return o.Ambient, given(o.Ambient), nil
		})
	}
	return s, nil
}

// Config returns an SDK configuration for region that signs with the role's credentials, or with
// the ambient credentials if role is "". It sends no request; the role is assumed when the first
// request is signed.
func (s *Set) Config(role, region string) (aws.Config, error) {
	session, err := s.session(role, region)
	if err != nil {
		return aws.Config{}, err
	}
	return s.signing(session, region), nil
}

// signing returns an SDK configuration that signs with the credentials of a session.
func (s *Set) signing(session *session, region string) aws.Config {
	c := s.base.Copy()
	c.Region = region
	c.Credentials = session
	c.Retryer = func() aws.Retryer { return &renewingRetryer{Retryer: standardRetryer(), session: session} }
	c.APIOptions = append(slices.Clone(c.APIOptions), session.explain)
	return c
}

// Skew returns how far this machine's clock is ahead of the services, see [Clock.Skew].
func (s *Set) Skew() (ahead time.Duration, ok bool) { return s.o.Shared.Clock.Skew() }

// Expiry returns when the role's current session expires unless it is renewed; ok is false before
// the first session, and for the ambient credentials.
func (s *Set) Expiry(role string) (end time.Time, ok bool) {
	session := s.known(role)
	if session == nil {
		return time.Time{}, false
	}
	end, ok = session.until()
	if ahead, known := s.Skew(); known && Skewed(ahead) {
		end = end.Add(-ahead) // in AWS time: a metric shows end to readers with a correct clock
	}
	return end, ok
}

// session returns the session of a role, the same for every caller. For "" it returns the session
// of the ambient credentials.
func (s *Set) session(name, region string) (*session, error) {
	hops := config.Chain(s.o.Roles, name)
	for _, hop := range hops {
		if _, ok := s.o.Roles[hop]; !ok {
			return nil, fmt.Errorf("find role %q: it is not in the configuration", hop)
		}
	}
	var at *session // session of the previous hop; nil for the ambient credentials
	for _, hop := range hops {
		next := s.known(hop)
		if next == nil {
			next = s.assumed(hop, at, region)
		}
		at = next
	}
	if at == nil {
		return s.ambient(region), nil
	}
	return at, nil
}

// known returns the session of a role, or nil if it does not exist yet.
func (s *Set) known(role string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[role]
}

// ambient returns the session of the ambient credentials.
func (s *Set) ambient(region string) *session {
	if s.given != nil {
		return s.given
	}
	return s.shared.ambient(s.o, region)
}

// assumed creates the session of a role. The role is assumed with the session through, or with the
// ambient credentials if through is nil.
func (s *Set) assumed(name string, through *session, region string) *session {
	if through == nil {
		through = s.ambient(region)
	}
	role := s.o.Roles[name]
	client := s.client(s.signing(through, region), role)
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.sessions[name]; known != nil {
		return known
	}
	fresh := newSession(&assumer{name: name, role: role, client: client, o: s.o}, s.o.Now, s.o.Logger)
	s.sessions[name] = fresh
	return fresh
}

func (s *Set) client(c aws.Config, role config.Role) *sts.Client {
	if role.Region != "" {
		c.Region = role.Region
	}
	return sts.NewFromConfig(c, func(o *sts.Options) {
		if endpoint := firstOf(role.EndpointURL, s.o.EndpointURL); endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.APIOptions = append(o.APIOptions, deadline.Patience{For: func(string) time.Duration { return askTimeout }}.Attach)
		if s.o.Attach != nil {
			o.APIOptions = append(o.APIOptions, s.o.Attach)
		}
	})
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// Environment returns the endpoints set by the environment or a profile, by service. Requests to a
// service go to its endpoint in this map, instead of to AWS, unless the configuration sets an
// endpoint.
func (s *Set) Environment() map[string]string {
	found := map[string]string{}
	for service, endpoint := range map[string]*string{
		"S3": s3.NewFromConfig(s.base).Options().BaseEndpoint, "STS": sts.NewFromConfig(s.base).Options().BaseEndpoint,
	} {
		if endpoint != nil {
			found[service] = *endpoint
		}
	}
	return found
}
