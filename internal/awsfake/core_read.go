package awsfake

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// read finds out what the request is, before anyone asks whether it may be.
func (q *request) read() error {
	r := q.http
	q.findService()
	q.path = r.URL.EscapedPath()
	if strings.HasPrefix(r.RequestURI, "/") {
		q.path, _, _ = strings.Cut(r.RequestURI, "?")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return errInvalidArgument("The query string could not be parsed")
	}
	q.query = query
	switch q.protocol {
	case queryForm:
		err = q.readForm()
	case awsJSON:
		_, q.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		q.body, err = readWhole(r.Body)
	case restXML:
	}
	if q.to != nil && q.to.read != nil && err == nil {
		err = q.to.read(q)
	}
	if err == nil && q.to == nil {
		q.operation = strings.TrimSuffix(q.service+" "+q.operation, " ")
		return errNotImplemented(q.operation)
	}
	return err
}

// readForm reads a request of the query protocol.
func (q *request) readForm() error {
	body, err := readWhole(q.http.Body)
	if err != nil {
		return err
	}
	q.body = body
	if q.form, err = url.ParseQuery(string(body)); err != nil {
		return refuse(http.StatusBadRequest, "MalformedQueryString", "The query string contains a syntax error")
	}
	q.operation = q.form.Get("Action")
	return nil
}

// findService goes by the signature's scope: one endpoint answers for all services.
func (q *request) findService() {
	scope := q.http.URL.Query().Get("X-Amz-Credential")
	if scope == "" {
		_, scope, _ = strings.Cut(q.http.Header.Get("Authorization"), "Credential=")
		scope, _, _ = strings.Cut(scope, ",")
	}
	parts, other := strings.Split(scope, "/"), q.cloud.otherwise()
	if len(parts) == 5 && (other == nil || !strings.HasPrefix(parts[3], other.name)) {
		q.service, q.to = parts[3], q.cloud.serviceNamed(parts[3])
	} else if q.to = q.cloud.serviceOf(q.http.Header.Get("X-Amz-Target")); q.to == nil {
		q.to = other
	}
	if q.to == nil {
		q.protocol = guessProtocol(q.http.Header)
		return
	}
	q.service, q.protocol = q.to.name, q.to.protocol
}

func (c *hub) serviceWith(is func(s service) bool) *service {
	if i := slices.IndexFunc(c.services, is); i >= 0 {
		return &c.services[i]
	}
	return nil
}

// serviceNamed is the service of that name; nil where the fake does not have it.
func (c *hub) serviceNamed(name string) *service {
	return c.serviceWith(func(s service) bool { return s.name == name })
}

// serviceOf is the service that takes requests with such an X-Amz-Target; nil for none.
func (c *hub) serviceOf(target string) *service {
	return c.serviceWith(func(s service) bool { return s.target != "" && strings.HasPrefix(target, s.target) })
}

// otherwise is the service of requests that are signed for none.
func (c *hub) otherwise() *service { return c.serviceWith(func(s service) bool { return s.anyOther }) }
