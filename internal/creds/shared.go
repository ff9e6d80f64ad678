package creds

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"weak"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/smithy-go/middleware"

	"syncd/internal/admit"
	"syncd/internal/awserr"
	"syncd/internal/deadline"
)

// Shared contains what the Sets of a process share: the ambient configuration with its credentials,
// the certificate pool, the connections, and the clock skew. Only Sets with the same settings share
// these things. When no Set and no client uses a shared configuration any more, it is freed and its
// idle connections are closed. The zero Shared is ready to use.
type Shared struct {
	// Clock measures the skew between this machine's clock and the services.
	Clock Clock

	mu     sync.Mutex
	loaded map[string]weak.Pointer[base] // by settings
}

// base is an ambient configuration. It is also the HTTP client of the clients created from it, so
// that the configuration lives as long as these clients.
type base struct {
	aws.HTTPClient
	config aws.Config
	// again loads the current environment; region is the default region.
	again func(ctx context.Context, region string) (aws.Config, error)

	mu       sync.Mutex
	sessions map[string]*session // of the ambient credentials, by region
}

// base returns the shared configuration for the settings in o. The first call loads it.
func (s *Shared) base(ctx context.Context, o Options) (*base, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := newPlain(o)
	settings := fmt.Sprintf("%d %t %q %t %p", o.Connections, p.allowed, slices.Compact(slices.Sorted(slices.Values(p.endpoints))), o.Ambient != nil, o.HTTPClient)
	if b := s.loaded[settings].Value(); b != nil {
		return b, nil
	}
	b, err := load(ctx, o)
	if err != nil {
		return nil, err
	}
	if s.loaded == nil {
		s.loaded = map[string]weak.Pointer[base]{}
	}
	maps.DeleteFunc(s.loaded, func(_ string, old weak.Pointer[base]) bool { return old.Value() == nil })
	s.loaded[settings] = weak.Make(b)
	return b, nil
}

// load loads the ambient configuration from the environment.
func load(ctx context.Context, o Options) (*base, error) {
	var way route
	b := &base{sessions: map[string]*session{}}
	client, local := buildable(o.Connections, way.proxy, o.Tune), o.HTTPClient
	options := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithHTTPClient(client), awsconfig.WithLogger(sdkLogger(o.Logger)), //nolint:contextcheck // the SDK gives no context to log with
		// By default the SDK creates its own client for a container endpoint, which would use the
		// proxy.
		awsconfig.WithEndpointCredentialOptions(func(o *endpointcreds.Options) {
			if o.HTTPClient = b.HTTPClient; local != nil {
				o.HTTPClient = local
			}
		}),
		awsconfig.WithCredentialsCacheOptions(func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = 0 }), // session renews ahead of expiry
		// The SDK may create STS clients from this configuration to get the ambient credentials.
		// Their requests need the same protection, because the token of a service account is as
		// secret as the credentials that it is exchanged for. Only the full check of responses
		// (Admission) is missing, because the SDK's clients check the responses themselves.
		awsconfig.WithAPIOptions([]func(*middleware.Stack) error{admit.Bound, newPlain(o).attach, attachBound, deadline.Attach, newWay(o, transportIn(client)).attach}),
	}
	if o.Ambient != nil {
		options = append(options, awsconfig.WithCredentialsProvider(o.Ambient))
	}
	b.again = func(ctx context.Context, region string) (aws.Config, error) {
		return awsconfig.LoadDefaultConfig(ctx, append(slices.Clone(options), awsconfig.WithDefaultRegion(region))...)
	}
	if err := checkProxies(os.Getenv); err != nil {
		return nil, err
	}
	loaded, err := b.again(ctx, "")
	if err != nil {
		return nil, unloaded(err)
	}
	way.learn(loaded)
	b.HTTPClient, b.config = loaded.HTTPClient, loaded
	if buildable, ok := loaded.HTTPClient.(*awshttp.BuildableClient); ok {
		transport := buildable.GetTransport()
		b.HTTPClient = singleClient(transport)
		// Otherwise idle connections would use memory until their idle timeout.
		runtime.AddCleanup(b, (*http.Transport).CloseIdleConnections, transport)
	}
	return b, nil
}

// unloaded explains a failure to load the environment, which may not be about credentials.
func unloaded(err error) error {
	file, isFile := errors.AsType[*fs.PathError](err)
	missing, isMissing := errors.AsType[awsconfig.SharedConfigProfileNotExistError](err)
	switch {
	case isMissing:
		return &awserr.CredentialsError{
			Err: err, Hint: fmt.Sprintf("profile %q is not in the AWS configuration files: correct AWS_PROFILE, or set AWS_CONFIG_FILE to the file that has it", missing.Profile),
		}
	case isFile && file.Path == os.Getenv("AWS_CA_BUNDLE"), strings.Contains(err.Error(), "custom CA bundle"):
		return &awserr.SettingError{
			Name: "AWS_CA_BUNDLE", Problem: err.Error(),
			Hint: "set it, or ca_bundle in the profile, to a file of PEM certificates that this process can read",
		}
	default:
		return &awserr.CredentialsError{Err: err, Hint: ambientHint}
	}
}

// ambient returns the session of the ambient credentials, the same for all callers. If the
// credentials come from STS and the environment sets no region, there is one session per region.
func (b *base) ambient(o Options, region string) *session {
	if !sourceOf(b.config).regional(b.config) {
		region = ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sessions[region] == nil {
		b.sessions[region] = ambientSession(o, func(ctx context.Context) (aws.CredentialsProvider, source, error) {
			loaded, err := b.again(ctx, region)
			return loaded.Credentials, sourceOf(loaded), err
		})
	}
	return b.sessions[region]
}

func ambientSession(o Options, load func(context.Context) (aws.CredentialsProvider, source, error)) *session {
	s := newSession(&ambient{load: load, clock: &o.Shared.Clock, now: o.Now}, o.Now, o.Logger)
	s.outlives = true
	return s
}

// transportIn returns the *http.Transport of a client, or nil if it uses another type.
func transportIn(client aws.HTTPClient) *http.Transport {
	switch c := client.(type) {
	case *base:
		return transportIn(c.HTTPClient)
	case *awshttp.BuildableClient:
		return c.GetTransport()
	case *http.Client:
		switch t := c.Transport.(type) {
		case http11:
			found, _ := t.next.(*http.Transport)
			return found
		case *http.Transport:
			return t
		}
	}
	return nil
}
