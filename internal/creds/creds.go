// Package creds turns a role of the configuration into credentials that stay good.
//
// It promises that a role is assumed once and its session shared by all clients of a mapping, that mappings share nothing but what lies
// beneath their sessions (the ambient credentials, certificates, connections), that the session is renewed
// well before it ends, that a session which still works is kept while a renewal fails, and that a session the service
// calls expired is renewed once instead of retried. The same holds for the ambient credentials. How long credentials last is measured
// from the time of the answer that brought them, so that a wrong clock of this machine changes nothing. Every retrieval has an end, and
// none of what is on this machine or its link goes through a proxy. Hops named by via are assumed in order; session tags, transitive
// tags, source identity and ExternalId are sent as configured, the ExternalId read anew each time. A role that asks for a
// session policy is never assumed without one; what the policy says is the caller's business.
//
// An error is an *awserr.CredentialsError that names the role and the refused action and says what to look at. The
// ExternalId is in none of them.
//
// Two words: the ambient credentials are those that the process finds in its environment (a task role, a service
// account, a profile); a session is what assuming a role gives for a limited time.
package creds

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"syncd/config"
	"syncd/internal/admit"
	"syncd/internal/awserr"
	"syncd/internal/deadline"
)

// maxHeader bounds the header of an answer, of which an object's metadata takes 2 KB at most (Amazon S3 User Guide, "Working with
// object metadata").
const maxHeader = 64 << 10

// Options are the settings of a Set.
type Options struct {
	// Roles are the roles of the configuration, by name.
	Roles map[string]config.Role
	// EndpointURL is where roles without an endpoint of their own are assumed; "" means AWS.
	EndpointURL string
	// PlainHTTP are more endpoints that the configuration names, of which those that begin with http:// may be asked of S3.
	PlainHTTP []string
	// AllowHTTP lets roles be assumed at an http:// endpoint on another machine.
	AllowHTTP bool
	// Shared is what Sets with the same settings have in common; nil shares nothing.
	Shared *Shared
	// Connections is how many idle connections are kept, by all Sets that share them; it should be the number of their requests at
	// once. 0 leaves the SDK's ten per host.
	Connections int
	// Tune changes how requests are sent where HTTPClient is nil, for all Sets that share it; nil changes nothing.
	Tune func(*http.Transport)
	// HTTPClient sends every request to a service, and to the endpoint of a container's credentials; nil means one of the SDK's, which
	// honours AWS_CA_BUNDLE.
	HTTPClient aws.HTTPClient
	// Door admits the answers that the set's clients get; nil means one of the set's own.
	Door *admit.Door
	// Attach is hung on the STS clients' middleware; nil hangs nothing.
	Attach func(*middleware.Stack) error
	// LookupEnv and ReadFile resolve ExternalIds that are not in the configuration itself.
	LookupEnv func(name string) (value string, ok bool)
	ReadFile  func(path string) ([]byte, error)
	// SessionPolicy returns the policy that narrows the sessions of a role, by its name in Roles, at most 2,048 characters of
	// JSON (AWS STS API Reference, AssumeRole). It is called at every assume of a role whose session_policy is scoped; without
	// it such a role is not assumed.
	SessionPolicy func(role string) (string, error)
	// Ambient replaces the credentials that the process finds in its environment; nil means to find them.
	Ambient aws.CredentialsProvider
	// Logger gets what the SDK has to say; nil means nobody.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

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
	if o.Door == nil {
		o.Door = admit.New()
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
	// Every client of the program is made from here, so that no answer counts that nobody has judged.
	base.APIOptions = []func(*middleware.Stack) error{o.Door.Attach, newPlain(o).attach, o.Shared.Clock.watch(o.Now, o.Logger), deadline.Attach, newWay(o, base.HTTPClient).attach}
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

// sdkLogger passes on what the SDK warns of; it would write plain lines between ours. It warns of each request and each object anew, as of
// content without a checksum, so the first warning of a kind is one, and the others are debug lines, as are those about requests.
func sdkLogger(logger *slog.Logger) logging.Logger {
	var warned sync.Map // by format
	return logging.LoggerFunc(func(class logging.Classification, format string, v ...any) {
		if class == logging.Warn && strings.HasPrefix(format, fellBack) {
			if _, again := warned.LoadOrStore(format, true); !again {
				logger.Warn("instance metadata refused IMDSv2, credentials are read with IMDSv1", "err", briefly(v))
			}
			return
		}
		level := slog.LevelDebug
		if class == logging.Warn {
			if _, again := warned.LoadOrStore(format, true); !again {
				level = slog.LevelWarn
			}
		}
		logger.Log(context.Background(), level, "aws sdk said", "text", fmt.Sprintf(format, v...))
	})
}

// fellBack is how the SDK begins to say that instance metadata gave no token. It does so for each renewal.
const fellBack = "falling back to IMDSv1"

// briefly is what an error among the words of the SDK comes to.
func briefly(words []any) string {
	for _, word := range words {
		if err, ok := word.(error); ok {
			return awserr.Brief(err)
		}
	}
	return strings.TrimSpace(fmt.Sprintln(words...))
}

// Config returns an SDK configuration that signs as the role, or with the ambient credentials for "", in region. It sends
// no request; the role is assumed when the first request is signed.
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

// Skew returns how far the clock of this machine is ahead of that of the services, as [Clock.Skew] has it.
func (s *Set) Skew() (ahead time.Duration, ok bool) { return s.o.Shared.Clock.Skew() }

// Expiry returns when the role's present session ends unless it is renewed; ok is false before the first, and for the
// ambient credentials.
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

// session returns the session of a role, the same for every caller, or that of the ambient credentials for "".
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

// assumed makes the session of a role that is assumed with that of another, or with the ambient credentials for nil.
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
