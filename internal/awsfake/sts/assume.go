package sts

import (
	"time"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/wire"
)

// callerIdentity answers GetCallerIdentity, which needs no permission and which no policy can deny.
func (q *request) callerIdentity() (*wire.Response, error) {
	return q.answer(func(x *wire.XML) {
		x.Element("Arn", q.Caller.Caller.ARN)
		x.Element("UserId", q.Caller.ID)
		x.Element("Account", q.Caller.Account.ID())
	}), nil
}

func (q *request) assumeRole() (*wire.Response, error) {
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
	d := q.Cloud.Directory
	d.Update(func() { d.Credentials[key] = cred })
	return q.answer(func(x *wire.XML) {
		x.Open("Credentials")
		x.Element("AccessKeyId", key)
		x.Element("SecretAccessKey", cred.Secret.Text)
		x.Element("SessionToken", cred.Token)
		x.Element("Expiration", cred.Expires.Format(time.RFC3339))
		x.Close("Credentials")
		x.Open("AssumedRoleUser")
		x.Element("AssumedRoleId", cred.ID)
		x.Element("Arn", cred.Caller.ARN)
		x.Close("AssumedRoleUser")
		x.Optional("SourceIdentity", cred.SourceIdentity)
		x.Number("SessionTokenSize", int64(len(cred.Token)))
		if packed > 0 {
			x.Number("PackedPolicySize", packed)
		}
	}), nil
}

func (q *request) serve() (*wire.Response, error) {
	if !q.service.rates.Of(q.Caller.Account.ID()).Take() {
		return nil, q.Protocol.Throttled()
	}
	switch q.Operation {
	case "AssumeRole":
		return q.assumeRole()
	case "GetCallerIdentity":
		return q.callerIdentity()
	}
	return nil, wire.ErrNotImplemented(q.Operation)
}

// New returns the STS of a cloud.
func New(c *core.Cloud) *Service {
	s := &Service{}
	c.Serve(core.Service{Name: "sts", Protocol: wire.Form, Namespace: namespace, Serve: func(q *core.Request) (*wire.Response, error) { return (&request{q, s}).serve() }})
	return s
}
