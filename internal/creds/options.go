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
	// EndpointURL is where roles without an endpoint of their own are assumed; "" means AWS.
	EndpointURL string
	// PlainHTTP are more endpoints that the configuration names, of which those that begin with
	// http:// may be asked of S3.
	PlainHTTP []string
	// AllowHTTP lets roles be assumed at an http:// endpoint on another machine.
	AllowHTTP bool
	// Shared is what Sets with the same settings have in common; nil shares nothing.
	Shared *Shared
	// Connections is how many idle connections are kept, by all Sets that share them; it should be
	// the number of their requests at once. 0 leaves the SDK's ten per host.
	Connections int
	// Tune changes how requests are sent where HTTPClient is nil, for all Sets that share it; nil
	// changes nothing.
	Tune func(*http.Transport)
	// HTTPClient sends every request to a service, and to the endpoint of a container's
	// credentials; nil means one of the SDK's, which honours AWS_CA_BUNDLE.
	HTTPClient aws.HTTPClient
	// Admission admits the answers that the set's clients get; nil means one of the set's own.
	Admission *admit.Guard
	// Attach is hung on the STS clients' middleware; nil hangs nothing.
	Attach func(*middleware.Stack) error
	// LookupEnv and ReadFile resolve ExternalIds that are not in the configuration itself.
	LookupEnv func(name string) (value string, ok bool)
	ReadFile  func(path string) ([]byte, error)
	// SessionPolicy returns the policy that narrows the sessions of a role, by its name in Roles,
	// at most 2,048 characters of JSON (AWS STS API Reference, AssumeRole). It is called at every
	// assume of a role whose session_policy is scoped; without it such a role is not assumed.
	SessionPolicy func(role string) (string, error)
	// Ambient replaces the credentials that the process finds in its environment; nil means to find
	// them.
	Ambient aws.CredentialsProvider
	// Logger gets what the SDK has to say; nil means nobody.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}
