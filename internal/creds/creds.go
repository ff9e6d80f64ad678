// Package creds turns a role of the configuration into credentials that stay good.
//
// It promises that a role is assumed once and its session shared by all clients of a mapping, that
// mappings share nothing but what lies beneath their sessions (the ambient credentials,
// certificates, connections), that the session is renewed well before it ends, that a session which
// still works is kept while a renewal fails, and that a session the service calls expired is
// renewed once instead of retried. The same holds for the ambient credentials. How long credentials
// last is measured from the time of the answer that brought them, so that a wrong clock of this
// machine changes nothing. Every retrieval has an end, and none of what is on this machine or its
// link goes through a proxy. Hops named by via are assumed in order; session tags, transitive tags,
// source identity and ExternalId are sent as configured, the ExternalId read anew each time. A role
// that asks for a session policy is never assumed without one; what the policy says is the caller's
// business.
//
// An error is an *awserr.CredentialsError that names the role and the refused action and says what
// to look at. The ExternalId is in none of them.
//
// Two words: the ambient credentials are those that the process finds in its environment (a task
// role, a service account, a profile); a session is what assuming a role gives for a limited time.
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

// Set holds the credentials of one mapping's roles.
type Set struct {
	o      Options
	base   aws.Config
	shared *base
	given  *session // of Options.Ambient

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
	// Every client of the program is made from here, so that no answer counts that nobody has
	// judged.
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

// Config returns an SDK configuration that signs as the role, or with the ambient credentials for
// "", in region. It sends no request; the role is assumed when the first request is signed.
func (s *Set) Config(role, region string) (aws.Config, error) {
	session, err := s.session(role, region)
	if err != nil {
		return aws.Config{}, err
	}
	return s.signing(session, region), nil
}

// signing returns an SDK configuration that signs with a session.
func (s *Set) signing(session *session, region string) aws.Config {
	c := s.base.Copy()
	c.Region = region
	c.Credentials = session
	c.Retryer = func() aws.Retryer { return &renewingRetryer{Retryer: standardRetryer(), session: session} }
	c.APIOptions = append(slices.Clone(c.APIOptions), session.explain)
	return c
}

// Skew returns how far the clock of this machine is ahead of that of the services, as [Clock.Skew]
// has it.
func (s *Set) Skew() (ahead time.Duration, ok bool) { return s.o.Shared.Clock.Skew() }

// Expiry returns when the role's present session ends unless it is renewed; ok is false before the
// first, and for the ambient credentials.
func (s *Set) Expiry(role string) (end time.Time, ok bool) {
	session := s.known(role)
	if session == nil {
		return time.Time{}, false
	}
	end, ok = session.until()
	if ahead, known := s.Skew(); known && Skewed(ahead) {
		end = end.Add(-ahead) // whoever is shown it has the right time
	}
	return end, ok
}

// session returns the session of a role, the same for every caller, or that of the ambient
// credentials for "".
func (s *Set) session(name, region string) (*session, error) {
	hops := config.Chain(s.o.Roles, name)
	for _, hop := range hops {
		if _, ok := s.o.Roles[hop]; !ok {
			return nil, fmt.Errorf("find role %q: the configuration has none of that name", hop)
		}
	}
	var at *session // of the hop before; nil for the ambient credentials
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

// known returns the session of a role, nil before the first.
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

// assumed makes the session of a role that is assumed with that of another, or with the ambient
// credentials for nil.
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

// Environment returns the endpoints that the environment or a profile names, by the service: they
// stand for AWS where the configuration has none.
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
