package awsfake

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// as sends a request to another service in the caller's name, as a service does that works for its caller.
func (q *request) as(caller, service, operation, bucket, body string, form url.Values) (*response, error) {
	to := q.cloud.serviceNamed(service)
	sub := &request{
		message: message{
			path: "/", query: url.Values{}, service: service, protocol: to.protocol,
			http: &http.Request{
				Method: http.MethodPost, Header: http.Header{}, URL: &url.URL{Path: "/"}, Host: q.http.Host, RemoteAddr: q.http.RemoteAddr, TLS: q.http.TLS,
				Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
			},
		},
		cloud: q.cloud, id: q.id, operation: operation, bucket: bucket, form: form, extra: http.Header{}, to: to,
		signature: unsignedSignature(), region: q.region, caller: q.caller,
	}
	sub.learn()
	sub.facts["aws:ViaAWSService"] = []string{"true"}
	sub.facts["aws:CalledVia"] = []string{caller}
	return to.serve(sub)
}
