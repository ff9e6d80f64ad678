package core

import (
	"net/http"
	"net/url"
	"strings"

	"syncd/internal/awsfake/wire"
)

// read finds the service and operation of the request. It runs before authentication.
func (q *Request) read() error {
	r := q.HTTP
	q.findService()
	q.Path = r.URL.EscapedPath()
	if strings.HasPrefix(r.RequestURI, "/") {
		q.Path, _, _ = strings.Cut(r.RequestURI, "?")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return wire.ErrInvalidArgument("The query string could not be parsed")
	}
	q.Query = query
	switch q.Protocol {
	case wire.Form:
		err = q.readForm()
	case wire.JSON:
		_, q.Operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		q.Body, err = wire.ReadWhole(r.Body)
	case wire.RestXML:
	}
	if q.to != nil && q.to.Read != nil && err == nil {
		err = q.to.Read(q)
	}
	if err == nil && q.to == nil {
		q.Operation = strings.TrimSuffix(q.Service+" "+q.Operation, " ")
		return wire.ErrNotImplemented(q.Operation)
	}
	return err
}

// readForm reads a request of the query protocol.
func (q *Request) readForm() error {
	body, err := wire.ReadWhole(q.HTTP.Body)
	if err != nil {
		return err
	}
	q.Body = body
	if q.Form, err = url.ParseQuery(string(body)); err != nil {
		return wire.Refuse(http.StatusBadRequest, "MalformedQueryString", "The query string contains a syntax error")
	}
	q.Operation = q.Form.Get("Action")
	return nil
}

// findService chooses the service from the scope of the signature, because one endpoint serves all
// services.
func (q *Request) findService() {
	scope := q.HTTP.URL.Query().Get("X-Amz-Credential")
	if scope == "" {
		_, scope, _ = strings.Cut(q.HTTP.Header.Get("Authorization"), "Credential=")
		scope, _, _ = strings.Cut(scope, ",")
	}
	parts, other := strings.Split(scope, "/"), q.Cloud.otherwise()
	if len(parts) == 5 && (other == nil || !strings.HasPrefix(parts[3], other.Name)) {
		q.Service, q.to = parts[3], q.Cloud.serviceNamed(parts[3])
	} else if q.to = q.Cloud.serviceOf(q.HTTP.Header.Get("X-Amz-Target")); q.to == nil {
		q.to = other
	}
	if q.to == nil {
		q.Protocol = wire.GuessProtocol(q.HTTP.Header)
		return
	}
	q.Service, q.Protocol = q.to.Name, q.to.Protocol
}

func (c *Cloud) serviceWith(is func(s *Service) bool) *Service {
	for i := range c.services {
		if is(&c.services[i]) {
			return &c.services[i]
		}
	}
	return nil
}

// serviceNamed returns the service with that name, or nil if the fake does not implement it.
func (c *Cloud) serviceNamed(name string) *Service {
	return c.serviceWith(func(s *Service) bool { return s.Name == name })
}

// serviceOf returns the service that accepts this X-Amz-Target, or nil if there is none.
func (c *Cloud) serviceOf(target string) *Service {
	return c.serviceWith(func(s *Service) bool { return s.Target != "" && strings.HasPrefix(target, s.Target) })
}

// otherwise returns the service for requests that are not signed for any other service.
func (c *Cloud) otherwise() *Service {
	return c.serviceWith(func(s *Service) bool { return s.AnyOther })
}
