package awsfake

import (
	"time"
)

// callerIdentity needs no permission, and no policy can take it away.
func (q *stsRequest) callerIdentity() (*response, error) {
	return q.stsAnswer(func(x *xmlWriter) {
		x.element("Arn", q.caller.caller.ARN)
		x.element("UserId", q.caller.id)
		x.element("Account", q.caller.account.ID())
	}), nil
}

func (q *stsRequest) assumeRole() (*response, error) {
	a, err := q.readAssumption()
	if err != nil {
		return nil, err
	}
	if err := q.allowAssumption(a); err != nil {
		return nil, err
	}
	if err := q.checkDuration(a); err != nil {
		return nil, err
	}
	packed, err := q.packedSize(a)
	if err != nil {
		return nil, err
	}
	key, cred := q.newSession(a)
	d := q.cloud.directory
	d.update(func() { d.credentials[key] = cred })
	return q.stsAnswer(func(x *xmlWriter) {
		x.open("Credentials")
		x.element("AccessKeyId", key)
		x.element("SecretAccessKey", cred.secret.text)
		x.element("SessionToken", cred.token)
		x.element("Expiration", cred.expires.Format(time.RFC3339))
		x.close("Credentials")
		x.open("AssumedRoleUser")
		x.element("AssumedRoleId", cred.id)
		x.element("Arn", cred.caller.ARN)
		x.close("AssumedRoleUser")
		x.optional("SourceIdentity", cred.sourceIdentity)
		x.number("SessionTokenSize", int64(len(cred.token)))
		if packed > 0 {
			x.number("PackedPolicySize", packed)
		}
	}), nil
}

func (q *stsRequest) serve() (*response, error) {
	if !q.sts.rates.of(q.caller.account.ID()).take() {
		return nil, q.protocol.throttled()
	}
	switch q.operation {
	case "AssumeRole":
		return q.assumeRole()
	case "GetCallerIdentity":
		return q.callerIdentity()
	}
	return nil, errNotImplemented(q.operation)
}

// newSTS returns STS of the cloud.
func newSTS(c *hub) *stsService {
	s := &stsService{}
	c.serve(service{name: "sts", protocol: queryForm, namespace: stsNamespace, serve: func(q *request) (*response, error) { return (&stsRequest{q, s}).serve() }})
	return s
}
