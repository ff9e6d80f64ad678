package awsfake

import (
	"maps"
	"net"
	"strconv"
	"time"
)

// learn gathers the context keys that every decision about this request shares
// ("AWS global condition context keys", IAM User Guide).
func (q *request) learn() {
	now := q.cloud.now().UTC()
	f := map[string][]string{
		"aws:CurrentTime":           {now.Format(time.RFC3339)},
		"aws:EpochTime":             {strconv.FormatInt(now.Unix(), 10)},
		"aws:RequestedRegion":       {q.region},
		"aws:SecureTransport":       {strconv.FormatBool(q.secure())},
		"aws:SourceIp":              {q.sourceIP()},
		"aws:UserAgent":             {q.http.UserAgent()},
		"aws:PrincipalIsAWSService": {"false"},
		"aws:ViaAWSService":         {"false"},
	}
	maps.Copy(f, q.caller.facts())
	if q.endpoint != nil {
		q.endpoint.locate(f)
	}
	q.facts = f
}

func (q *request) secure() bool {
	return !q.cloud.plainHTTP || q.http.TLS != nil || q.http.URL.Scheme == "https"
}

// sourceIP is the loopback address at the in-memory door.
func (q *request) sourceIP() string {
	host, _, err := net.SplitHostPort(q.http.RemoteAddr)
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

// factsFor are the context keys of one decision. A service that acts for the caller does not come
// through the caller's VPC endpoint.
func (q *request) factsFor(x question) map[string][]string {
	facts := maps.Clone(q.facts)
	facts["aws:ResourceAccount"] = []string{x.account}
	maps.Copy(facts, x.context)
	if x.forCaller {
		delete(facts, "aws:SourceVpce")
		delete(facts, "aws:SourceVpc")
	}
	return facts
}
