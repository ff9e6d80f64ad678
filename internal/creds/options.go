package creds

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"

	"syncd/config"
	"syncd/internal/admit"
)

// Options are the settings of a Set.
type Options struct {
	// Roles are the roles of the configuration, by name.
	Roles map[string]config.Role
	// EndpointURL is the STS endpoint for roles that do not set their own; "" means AWS.
	EndpointURL string
	// PlainHTTP lists the remaining endpoints in the configuration, without EndpointURL and the
	// endpoints of Roles. S3 requests may use an endpoint in this list that begins with http://.
	PlainHTTP []string
	// AllowHTTP lets roles be assumed at an http:// endpoint on another machine.
	AllowHTTP bool
	// Shared contains what this Set shares with other Sets that have the same settings; nil means
	// that it shares nothing.
	Shared *Shared
	// Connections is the maximum number of idle connections that all Sets with the same Shared keep
	// open together. It should be the number of concurrent requests of these Sets. 0 means the
	// SDK's default of ten per host.
	Connections int
	// Tune adjusts the HTTP transport if HTTPClient is nil, for all Sets that share it; nil changes
	// nothing.
	Tune func(*http.Transport)
	// HTTPClient sends every request to a service and to the credentials endpoint of a container;
	// nil means an SDK client, which honors AWS_CA_BUNDLE.
	HTTPClient aws.HTTPClient
	// Admission checks the responses to the Set's clients; nil means a new guard.
	Admission *admit.Guard
	// Attach adds middleware to the STS clients; nil adds nothing.
	Attach func(*middleware.Stack) error
	// LookupEnv and ReadFile resolve ExternalIds that are not in the configuration itself.
	LookupEnv func(name string) (value string, ok bool)
	ReadFile  func(path string) ([]byte, error)
	// SessionPolicy returns the session policy of a role, by its name in Roles: at most 2,048
	// characters of JSON (AWS STS API Reference, AssumeRole). It is called each time a role with
	// session_policy scoped is assumed. If it is nil, such a role cannot be assumed.
	SessionPolicy func(role string) (string, error)
	// Ambient replaces the credentials that the process finds in its environment; nil uses the
	// credentials of the environment.
	Ambient aws.CredentialsProvider
	// Logger receives warnings and the SDK's messages; nil discards them.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}
