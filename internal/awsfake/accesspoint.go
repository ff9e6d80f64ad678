package awsfake

import (
	"maps"
	"net"
	"net/http"
	"regexp"
	"strings"

	"syncd/internal/iam"
)

// maxAliasPrefix is how much of its name an access point's alias begins with: with what follows it has 63 characters at most.
const maxAliasPrefix = 20

// AccessPoint is another way into a bucket. Whoever comes through it needs its policy's permission, or in its account that of an
// identity policy, for the access point's ARN; and the bucket's policy must allow what it would have to allow anyway, where it may go
// by the access point ("Configuring IAM policies for using access points", Amazon S3 User Guide).
type AccessPoint struct {
	account     *Account
	bucket      *Bucket
	name, alias string
	policy      *iam.Document // guarded by Cloud.mu
}

// CreateAccessPoint creates an access point of a bucket, which may be another account's. A name that the account uses in the bucket's
// region is a bug of the caller and panics.
func (a *Account) CreateAccessPoint(name string, b *Bucket, policy *iam.Document) *AccessPoint {
	c := a.cloud
	metadata := strings.ToLower(c.random.letters(34))
	p := &AccessPoint{
		account: a, bucket: b, name: name, policy: policy,
		alias: name[:min(len(name), maxAliasPrefix)] + "-" + metadata + "-s3alias",
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.points[p.ARN()] != nil {
		panic("BUG: access point " + p.ARN() + " exists already")
	}
	c.points[p.ARN()], c.points[p.alias] = p, p
	return p
}

// ARN is "arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME".
func (p *AccessPoint) ARN() string {
	return "arn:aws:s3:" + p.bucket.region + ":" + p.account.id + ":accesspoint/" + p.name
}

// Alias is what stands for the bucket's name in requests.
func (p *AccessPoint) Alias() string { return p.alias }

// SetPolicy replaces the policy; nil takes it away.
func (p *AccessPoint) SetPolicy(policy *iam.Document) {
	p.account.cloud.mu.Lock()
	defer p.account.cloud.mu.Unlock()
	p.policy = policy
}

func (p *AccessPoint) currentPolicy() *iam.Document {
	p.account.cloud.mu.RLock()
	defer p.account.cloud.mu.RUnlock()
	return p.policy
}

// way is a bucket, and the access point through which a request reaches it; nil for none.
type way struct {
	bucket *Bucket
	point  *AccessPoint
}

// resource is what policies call the bucket, or with a key an object in it, on this way.
func (w way) resource(key string) string {
	switch {
	case w.point == nil && key == "":
		return w.bucket.ARN()
	case w.point == nil:
		return objectARN(w.bucket.name, key)
	case key == "":
		return w.point.ARN()
	default:
		return w.point.ARN() + "/object/" + key
	}
}

// facts are the condition keys of the access point ("Configuring IAM policies for using access points", Amazon S3 User Guide).
func (w way) facts(context map[string][]string) map[string][]string {
	if w.point == nil {
		return context
	}
	facts := map[string][]string{
		"s3:DataAccessPointArn": {w.point.ARN()}, "s3:DataAccessPointAccount": {w.point.account.id}, "s3:AccessPointNetworkOrigin": {"Internet"},
	}
	maps.Copy(facts, context)
	return facts
}

// questions are what the caller has to be allowed: of the access point everything that it would otherwise be of the bucket, and of the
// bucket behind it what its policy has to say.
func (w way) questions(action, key string, context map[string][]string) []question {
	bucket := question{
		action: action, resource: way{bucket: w.bucket}.resource(key), account: w.bucket.account.id, kind: iam.Bucket,
		policy: w.bucket.currentPolicy(), context: w.facts(context),
	}
	if w.point == nil {
		return []question{bucket}
	}
	point := bucket
	point.resource, point.account, point.policy = w.resource(key), w.point.account.id, w.point.currentPolicy()
	bucket.behind = true
	return []question{point, bucket}
}

// decideBehind asks the policy of a bucket behind an access point, whose own has let the caller through, as that of another account,
// where naming the caller in any way is enough.
func (q *request) decideBehind(x question) iam.Decision {
	c := q.cloud
	p := iam.Policies{Identity: []*iam.Document{allowEverything()}, Resource: x.policy, Kind: x.kind}
	c.mu.RLock()
	if owner := c.accounts[x.account]; owner != nil {
		p.ResourceControl = owner.resourceControl
	}
	c.mu.RUnlock()
	return iam.Evaluate(iam.Request{Caller: q.identity(), Action: x.action, Resource: x.resource, Account: x.account, Context: q.factsFor(x)}, p)
}

// pointHosts matches the host of an access point: its name and its account are the first label, of S3's own domain or of any endpoint
// ("Accessing a bucket through S3 access points", Amazon S3 User Guide).
var pointHosts = regexp.MustCompile(`^([a-z0-9][a-z0-9-]*)-([0-9]{12})\.(s3-accesspoint\.(?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com$)?`)

// pointOfHost is the ARN of the access point that a host is, "" when it is none. Where the domain is not S3's own it is one only if there
// is one of that name.
func (c *Cloud) pointOfHost(r *http.Request) string {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	m := pointHosts.FindStringSubmatch(host)
	switch {
	case m == nil:
		return ""
	case m[3] != "":
		return "arn:aws:s3:" + m[4] + ":" + m[2] + ":accesspoint/" + m[1]
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for arn, p := range c.points {
		if p.name == m[1] && p.account.id == m[2] && strings.HasPrefix(arn, "arn:") {
			return arn
		}
	}
	return ""
}

// throughPoint refuses operations that no access point has ("Access point compatibility", Amazon S3 User Guide).
func (op s3Operation) throughPoint(w way) error {
	if w.point == nil || op.point {
		return nil
	}
	return refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
}

// refuseCrossRegion refuses copies from an access point to another Region ("CopyObject", Amazon S3 API Reference; the words are ours).
func refuseCrossRegion(from way, to *Bucket) error {
	if from.point == nil || from.bucket.region == to.region {
		return nil
	}
	return errInvalidRequest("Copying from an access point to a bucket in another Region is not supported.")
}
