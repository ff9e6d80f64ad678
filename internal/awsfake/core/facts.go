package core

import (
	"maps"
	"net"
	"strconv"
	"time"
)

// learn sets the context keys that all decisions about this request share ("AWS global condition
// context keys", IAM User Guide).
func (q *Request) learn() {
	now := q.Cloud.Now().UTC()
	f := map[string][]string{
		"aws:CurrentTime":           {now.Format(time.RFC3339)},
		"aws:EpochTime":             {strconv.FormatInt(now.Unix(), 10)},
		"aws:RequestedRegion":       {q.Region},
		"aws:SecureTransport":       {strconv.FormatBool(q.secure())},
		"aws:SourceIp":              {q.sourceIP()},
		"aws:UserAgent":             {q.HTTP.UserAgent()},
		"aws:PrincipalIsAWSService": {"false"},
		"aws:ViaAWSService":         {"false"},
	}
	q.Caller.Describe(f)
	if q.Endpoint != nil {
		q.Endpoint.locate(f)
	}
	q.facts = f
}

func (q *Request) secure() bool {
	return !q.Cloud.plainHTTP || q.HTTP.TLS != nil || q.HTTP.URL.Scheme == "https"
}

// sourceIP returns the IP address of the client. It is the loopback address at the in-memory entry
// point.
func (q *Request) sourceIP() string {
	host, _, err := net.SplitHostPort(q.HTTP.RemoteAddr)
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

// factsFor returns the context keys of one decision. Calls that a service makes for the caller have
// no context keys of the caller's VPC endpoint.
func (q *Request) factsFor(x Question) map[string][]string {
	facts := maps.Clone(q.facts)
	facts["aws:ResourceAccount"] = []string{x.Account}
	maps.Copy(facts, x.Context)
	if x.ForCaller {
		delete(facts, "aws:SourceVpce")
		delete(facts, "aws:SourceVpc")
	}
	return facts
}
