package creds

import (
	"context"
	"net/http"
	"net/url"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/awserr"
)

// way describes how requests reach the services: directly, or through a proxy. It explains why a
// request failed to reach a service, and which machine may have sent a response that is not from
// the service.
type way struct {
	proxy     func(*http.Request) (*url.URL, error) // nil: none
	lookupEnv func(name string) (value string, ok bool)
}

// newWay returns the way for requests of a transport, which may be nil if it is not known.
func newWay(o Options, transport *http.Transport) way {
	w := way{lookupEnv: o.LookupEnv}
	if transport != nil {
		w.proxy = transport.Proxy
	}
	return w
}

type beganKey struct{}

// attach adds middleware that makes a client explain its failures. The middleware is the outermost
// deserialize middleware, so it sees the final result of a response. It is inside the retry loop,
// so its error determines whether the request is retried.
func (w way) attach(stack *middleware.Stack) error {
	begin := middleware.InitializeMiddlewareFunc("syncd.way.begin", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		return next.HandleInitialize(middleware.WithStackValue(ctx, beganKey{}, time.Now()), in)
	})
	if err := stack.Initialize.Add(begin, middleware.Before); err != nil {
		return err
	}
	explain := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		if !isOfService(ctx, stack) { // credential endpoints send no request ids, and their callers report errors better
			return next.HandleDeserialize(ctx, in)
		}
		return w.explain(ctx, in, next)
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.way", explain), middleware.Before)
}

func (w way) explain(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if err == nil || ctx.Err() != nil {
		return out, metadata, err
	}
	request, _ := in.Request.(*smithyhttp.Request)
	began, _ := middleware.GetStackValue(ctx, beganKey{}).(time.Time)
	if answer, ok := out.RawResponse.(*smithyhttp.Response); ok && answer.Response != nil {
		if found := awserr.Foreign(err, answer.Response); found != nil {
			found.Operation = awsmiddleware.GetOperationName(ctx)
			found.Lasts(time.Since(began))
			w.locate(found, request)
			return out, metadata, found
		}
	}
	problem, hint := awserr.Unreachable(err, time.Since(began))
	if problem == "" || request == nil {
		return out, metadata, err
	}
	return out, metadata, &awserr.EndpointError{
		Service: awsmiddleware.GetServiceID(ctx), Endpoint: awserr.EndpointOf(request.URL), Problem: problem, Hint: hint, Unreachable: true,
	}
}

// locate sets where a request was sent, which proxy it used, and which environment variable names
// that proxy.
func (w way) locate(found *awserr.ForeignError, request *smithyhttp.Request) {
	if request == nil {
		return
	}
	sent := request.Request
	found.Endpoint = awserr.EndpointOf(sent.URL)
	if w.proxy == nil {
		return
	}
	proxy, err := w.proxy(sent)
	if err != nil || proxy == nil {
		return
	}
	found.Proxy = awserr.EndpointOf(proxy)
	names := []string{"HTTP_PROXY", "http_proxy"}
	if sent.URL.Scheme == "https" {
		names = []string{"HTTPS_PROXY", "https_proxy"}
	}
	for _, name := range names {
		if w.lookupEnv == nil {
			return
		}
		if value, ok := w.lookupEnv(name); ok && value != "" {
			found.Variable = name
			return
		}
	}
}
