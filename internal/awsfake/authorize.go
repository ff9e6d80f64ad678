package awsfake

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/iam"
)

// question is one thing that a request wants to do, in the terms of the policy language.
type question struct {
	action, resource string
	account          string // that owns the resource
	kind             iam.ResourceKind
	policy           *iam.Document
	behind           bool                // it is a bucket's that is reached through an access point, and only its policy is asked
	managed          bool                // AWS's own key, which no organization rules over
	context          map[string][]string // beyond what every request has
}

// decide asks the policy of the VPC endpoint, if the request came through one, then the caller's
// policies, the resource's and their organizations'.
func (q *request) decide(x question) iam.Decision {
	r := iam.Request{Caller: q.identity(), Action: x.action, Resource: x.resource, Account: x.account, Context: q.factsFor(x)}
	if x.behind {
		return q.decideBehind(x)
	}
	if q.endpoint != nil && strings.HasPrefix(x.action, "s3:") {
		if d := q.endpoint.decide(r); !d.Allowed {
			return d
		}
	}
	c := q.cloud
	c.mu.RLock()
	p := q.caller.policies()
	p.Resource, p.Kind, p.ServiceControl = x.policy, x.kind, q.caller.account.serviceControl
	if owner := c.accounts[x.account]; owner != nil && !x.managed {
		p.ResourceControl = owner.resourceControl
	}
	c.mu.RUnlock()
	return iam.Evaluate(r, p)
}

// identity is the caller as policies know it. A session of a deleted role is no longer one of the
// role of that name that was created after it.
func (q *request) identity() iam.Caller {
	q.cloud.mu.RLock()
	defer q.cloud.mu.RUnlock()
	caller := q.caller.caller
	if q.caller.role != nil && q.caller.role.deleted {
		caller.RoleARN = q.caller.role.id
	}
	return caller
}

// factsFor are the context keys of one decision. A service that acts for the caller does not come
// through the caller's VPC endpoint.
func (q *request) factsFor(x question) map[string][]string {
	facts := maps.Clone(q.facts)
	facts["aws:ResourceAccount"] = []string{x.account}
	maps.Copy(facts, x.context)
	if x.kind == iam.Key && q.service == serviceS3 {
		delete(facts, "aws:SourceVpce")
		delete(facts, "aws:SourceVpc")
	}
	return facts
}

// learn gathers the context keys that every decision about this request shares
// ("AWS global condition context keys", IAM User Guide).
func (q *request) learn() {
	cr, now := q.caller, q.cloud.now().UTC()
	f := map[string][]string{
		"aws:CurrentTime":           {now.Format(time.RFC3339)},
		"aws:EpochTime":             {strconv.FormatInt(now.Unix(), 10)},
		"aws:RequestedRegion":       {q.region},
		"aws:SecureTransport":       {strconv.FormatBool(q.secure())},
		"aws:SourceIp":              {q.sourceIP()},
		"aws:UserAgent":             {q.http.UserAgent()},
		"aws:PrincipalAccount":      {cr.account.id},
		"aws:PrincipalIsAWSService": {"false"},
		"aws:ViaAWSService":         {"false"},
		"aws:userid":                {cr.id},
	}
	q.cloud.mu.RLock()
	defer q.cloud.mu.RUnlock()
	if cr.account.org != "" {
		f["aws:PrincipalOrgID"] = []string{cr.account.org}
	}
	if cr.user != nil {
		f["aws:username"] = []string{cr.user.Name}
		f["aws:PrincipalType"] = []string{"User"}
		f["aws:PrincipalArn"] = []string{cr.user.ARN}
	} else {
		f["aws:PrincipalType"] = []string{"AssumedRole"}
		f["aws:PrincipalArn"] = []string{cr.role.ARN}
	}
	if cr.sourceIdentity != "" {
		f["aws:SourceIdentity"] = []string{cr.sourceIdentity}
	}
	for k, v := range cr.principalTags() {
		f["aws:PrincipalTag/"+k] = []string{v}
	}
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

// near reports whether AWS tells this caller the reasons of a refusal in that account: it is the
// caller's own, or one of the same organization.
func (q *request) near(account *Account) bool {
	q.cloud.mu.RLock()
	defer q.cloud.mu.RUnlock()
	mine := q.caller.account
	return mine == account || account != nil && mine.org != "" && mine.org == account.org
}

// allow authorises an S3 action on the bucket of the request, or with a key on an object of it.
func (q *request) allow(b *Bucket, action, key string, context map[string][]string) error {
	return q.allowOn(way{b, q.point}, action, key, context)
}

// allowOn authorises an S3 action on the way that a request takes to a bucket.
func (q *request) allowOn(w way, action, key string, context map[string][]string) error {
	writer := w.bucket.writerOf(key)
	for _, x := range w.questions(action, key, context) {
		if writer != "" && strings.HasPrefix(action, "s3:Get") {
			// A bucket policy covers only objects that the bucket's owner owns ("Bucket policies", Amazon S3 User Guide).
			x.account, x.policy = writer, nil
		}
		if err := q.allowQuestion(w, x); err != nil {
			return err
		}
	}
	return nil
}

func (q *request) allowQuestion(w way, x question) error {
	d := q.decide(x)
	if d.Allowed && q.restricted(w.bucket, x.policy) {
		d = iam.Decision{Action: x.action, Source: iam.SourceResource, Explicit: true}
	}
	if d.Allowed {
		return nil
	}
	q.cloud.mu.RLock()
	owner := q.cloud.accounts[x.account]
	q.cloud.mu.RUnlock()
	if !q.near(owner) || d.Source == sourceEndpoint && q.caller.account != owner {
		return errAccessDenied(serviceS3)
	}
	return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: \"%s\" %s",
		q.caller.caller.ARN, x.action, x.resource, d.Reason())
}

// writerOf is the account that owns an object, "" when it is the bucket's own.
func (b *Bucket) writerOf(key string) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if o := b.index.get(key).current(); o != nil && o.owner != b.account.id {
		return o.owner
	}
	return ""
}

// useKey authorises a KMS action. Through S3 the context says so, and the refusal is S3's.
func (q *request) useKey(k *Key, action string, use keyUse) error {
	q.cloud.counts.addKey(k.arn, strings.TrimPrefix(action, "kms:"))
	policy, state := k.read()
	x := question{
		action: action, resource: k.arn, account: k.account.id, kind: iam.Key, policy: policy,
		managed: k.managed, context: use.facts(q.caller.account.id),
	}
	if d := q.decide(x); !d.Allowed {
		return q.refuseKey(k, action, d, use)
	}
	if err := q.throttleKMS(k, action, use.service); err != nil {
		return err
	}
	return keyStateError(k, state, use.service)
}

// keyUse is the circumstances of a use of a key.
type keyUse struct {
	service string // who asks KMS: S3 as the caller, or KMS's own front door
	region  string
	context map[string]string
}

func (u keyUse) facts(caller string) map[string][]string {
	f := map[string][]string{"kms:CallerAccount": {caller}}
	if u.service == serviceS3 {
		f["kms:ViaService"] = []string{"s3." + u.region + ".amazonaws.com"}
		f["aws:ViaAWSService"] = []string{"true"}
	}
	for k, v := range u.context {
		f["kms:EncryptionContext:"+k] = []string{v}
	}
	if len(u.context) > 0 {
		f["kms:EncryptionContextKeys"] = slices.Sorted(maps.Keys(u.context))
	}
	return f
}

// refuseKey is KMS's sentence. A gap in the key policy and a key that does not exist look the same.
func (q *request) refuseKey(k *Key, action string, d iam.Decision, use keyUse) error {
	who := fmt.Sprintf("User: %s is not authorized to perform: %s ", q.caller.caller.ARN, action)
	switch {
	case d.Source == iam.SourceResource:
		who += "on this resource because the resource does not exist in this Region, no resource-based policies allow access, " +
			"or a resource-based policy explicitly denies access"
	case action == "kms:Decrypt":
		who += "on the resource associated with this ciphertext " + d.Reason()
	default:
		who += "on resource: " + k.arn + " " + d.Reason()
	}
	if use.service == serviceS3 {
		return refuse(http.StatusForbidden, "AccessDenied", "%s", who)
	}
	return refuse(http.StatusBadRequest, "AccessDeniedException", "%s", who)
}
