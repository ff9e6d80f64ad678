package core

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"syncd/internal/awsfake/signature"
	"syncd/internal/awsfake/wire"
)

// As calls another service with the identity of the request's caller. Policies see that the call
// comes from the AWS service with the name caller (aws:CalledVia).
func (q *Request) As(caller, service, operation, bucket, body string, form url.Values) (*wire.Response, error) {
	to := q.Cloud.serviceNamed(service)
	sub := &Request{
		Message: signature.Message{
			Path: "/", Query: url.Values{}, Service: service, Protocol: to.Protocol,
			HTTP: &http.Request{
				Method: http.MethodPost, Header: http.Header{}, URL: &url.URL{Path: "/"}, Host: q.HTTP.Host, RemoteAddr: q.HTTP.RemoteAddr, TLS: q.HTTP.TLS,
				Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
			},
		},
		Cloud: q.Cloud, ID: q.ID, Operation: operation, Bucket: bucket, Form: form, to: to,
		signature: signature.Unsigned(), Region: q.Region, Caller: q.Caller,
	}
	sub.learn()
	sub.facts["aws:ViaAWSService"] = []string{"true"}
	sub.facts["aws:CalledVia"] = []string{caller}
	return to.Serve(sub)
}
