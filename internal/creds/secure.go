package creds

import (
	"context"
	"net/url"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/awserr"
	"syncd/internal/endpoint"
)

// plain decides which requests may be sent without TLS. Requests to S3 may use any http:// endpoint
// in the configuration. Requests to other services may use such an endpoint only if it is on this
// machine, or if the configuration sets aws.allow_http. An http:// endpoint from the environment or
// a profile is never allowed.
type plain struct {
	endpoints []string // host and port, lower case
	allowed   bool
}

func newPlain(o Options) plain {
	p := plain{allowed: o.AllowHTTP}
	configured := append([]string{o.EndpointURL}, o.PlainHTTP...)
	for _, role := range o.Roles {
		configured = append(configured, role.EndpointURL)
	}
	for _, endpoint := range configured {
		if at, err := url.Parse(strings.ToLower(endpoint)); err == nil && at.Scheme == "http" {
			p.endpoints = append(p.endpoints, at.Host)
		}
	}
	return p
}

// attach makes a client reject requests that must not be sent, before they are signed.
func (p plain) attach(stack *middleware.Stack) error {
	if _, ok := stack.Finalize.Get("ResolveEndpointV2"); !ok {
		return nil
	}
	guard := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		request, ok := in.Request.(*smithyhttp.Request)
		if ok && isOfService(ctx, stack) && !strings.EqualFold(request.URL.Scheme, "https") {
			if err := p.refuse(awsmiddleware.GetServiceID(ctx), request.URL); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
		}
		return next.HandleFinalize(ctx, in)
	}
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("syncd.plain", guard), "ResolveEndpointV2", middleware.After)
}

// isOfService reports whether the middleware stack belongs to the client of a service. The SDK's
// clients for the credentials of containers and instances use endpoints without TLS, which the SDK
// restricts itself. Their context still has the operation name of the service client that needs the
// credentials.
func isOfService(ctx context.Context, stack *middleware.Stack) bool {
	return awsmiddleware.GetOperationName(ctx) == stack.ID()
}

func (p plain) refuse(service string, at *url.URL) error {
	refused := &awserr.EndpointError{Service: service, Endpoint: awserr.EndpointOf(at)}
	switch {
	case !p.configured(strings.ToLower(at.Host)):
		refused.Problem = "the endpoint has no TLS, and was set by the environment or a profile"
		refused.Hint = "unset AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_*, or endpoint_url in the profile: an endpoint without TLS must be set in the configuration"
	case service != "S3" && !p.allowed && endpoint.Exposed(at.String()):
		refused.Problem = "credentials would cross the network unencrypted"
		refused.Hint = "use https://, or set aws.allow_http: true"
	default:
		return nil
	}
	return refused
}

// configured reports whether host is an endpoint in the configuration, with or without a bucket
// name in front.
func (p plain) configured(host string) bool {
	for _, endpoint := range p.endpoints {
		if host == endpoint || strings.HasSuffix(host, "."+endpoint) {
			return true
		}
	}
	return false
}
