package awsfake

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"syncd/internal/iam"
)

// The limits of AssumeRole (AWS STS API Reference; "IAM and AWS STS quotas", IAM User Guide).
const (
	minSession       = 900 * time.Second
	maxChained       = time.Hour
	maxSessionPolicy = 2048
	maxSessionTags   = 50
	maxTagKey        = 128
	maxTagValue      = 256
)

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

func (q *request) serveSTS() (*response, error) {
	if !q.caller.account.stsRate.take() {
		return nil, throttled(serviceSTS)
	}
	switch q.operation {
	case "AssumeRole":
		return q.assumeRole()
	case "GetCallerIdentity":
		return q.callerIdentity()
	}
	return nil, errNotImplemented(q.operation)
}

func (q *request) stsAnswer(write func(x *xmlWriter)) *response {
	result := &xmlWriter{}
	write(result)
	return q.queryAnswer(stsNamespace, result.bytes())
}

// queryAnswer is the answer of a service that speaks the query protocol. An empty result has its element too: the AWS CLI looks for it
// where the service's model has one.
func (q *request) queryAnswer(namespace string, result []byte) *response {
	x := newXML()
	x.openNS(q.operation+"Response", namespace)
	x.open(q.operation + "Result")
	x.b.Write(result)
	x.close(q.operation + "Result")
	x.open("ResponseMetadata")
	x.element("RequestId", strings.ToLower(q.id))
	x.close("ResponseMetadata")
	x.close(q.operation + "Response")
	res := &response{status: http.StatusOK, header: http.Header{"Content-Type": {"text/xml"}}}
	res.setBody(x.bytes())
	return res
}

// callerIdentity needs no permission, and no policy can take it away.
func (q *request) callerIdentity() (*response, error) {
	return q.stsAnswer(func(x *xmlWriter) {
		x.element("Arn", q.caller.caller.ARN)
		x.element("UserId", q.caller.id)
		x.element("Account", q.caller.account.id)
	}), nil
}

// assumption is one AssumeRole call as it was asked for.
type assumption struct {
	role           *Role
	name           string
	externalID     string
	sourceIdentity string
	duration       time.Duration
	policyText     string
	policy         *iam.Document
	tags           map[string]string // of this call
	transitive     []string          // keys, of this call
}

func (q *request) assumeRole() (*response, error) {
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
	c := q.cloud
	c.mu.Lock()
	c.credentials[key] = cred
	c.mu.Unlock()
	return q.stsAnswer(func(x *xmlWriter) {
		x.open("Credentials")
		x.element("AccessKeyId", key)
		x.element("SecretAccessKey", cred.secret)
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

func (q *request) readAssumption() (*assumption, error) {
	f := q.form
	a := &assumption{
		name: f.Get("RoleSessionName"), externalID: f.Get("ExternalId"), sourceIdentity: f.Get("SourceIdentity"),
		duration: time.Hour, tags: map[string]string{},
	}
	if err := a.checkNames(f); err != nil {
		return nil, err
	}
	if s := f.Get("DurationSeconds"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, errValidation("Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must be an integer", s)
		}
		a.duration = time.Duration(n) * time.Second
	}
	a.policyText = f.Get("Policy")
	if err := a.readPolicy(a.policyText); err != nil {
		return nil, err
	}
	if f.Get("PolicyArns.member.1.arn") != "" {
		return nil, errNotImplemented("AssumeRole with PolicyArns")
	}
	if err := a.readTags(f); err != nil {
		return nil, err
	}
	q.cloud.mu.RLock()
	a.role = q.cloud.roles[f.Get("RoleArn")]
	q.cloud.mu.RUnlock()
	if a.role == nil { // looks exactly like a trust policy that says no
		return nil, q.denyAssumption("sts:AssumeRole", f.Get("RoleArn"))
	}
	return a, nil
}

func errValidation(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "ValidationError", format, args...)
}

func (a *assumption) checkNames(f url.Values) error {
	const word = "_+=,.@-"
	if !inAlphabet(a.name, word) || len(a.name) < 2 || len(a.name) > 64 {
		return errConstraint("roleSessionName", a.name)
	}
	if f.Has("ExternalId") && (!inAlphabet(a.externalID, word+":/") || len(a.externalID) < 2 || len(a.externalID) > 1224) {
		return errConstraint("externalId", "")
	}
	if f.Has("SourceIdentity") && (!inAlphabet(a.sourceIdentity, word) || len(a.sourceIdentity) < 2 || len(a.sourceIdentity) > 64 ||
		strings.HasPrefix(strings.ToLower(a.sourceIdentity), "aws:")) {
		return errConstraint("sourceIdentity", a.sourceIdentity)
	}
	return nil
}

func errConstraint(member, value string) error {
	return errValidation("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern and length", value, member)
}

func inAlphabet(s, more string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(more, r)
	})
}

func (a *assumption) readPolicy(text string) error {
	if text == "" {
		return nil
	}
	if len(text) > maxSessionPolicy {
		return errValidation("1 validation error detected: Value at 'policy' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxSessionPolicy)
	}
	d, err := iam.Parse([]byte(text))
	if err == nil {
		err = d.CheckKind(iam.Identity)
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "MalformedPolicyDocument", "%v", err)
	}
	a.policy = d
	return nil
}

func (a *assumption) readTags(f url.Values) (err error) {
	var keys []string
	if keys, a.tags, err = formTags(f); err != nil {
		return err
	}
	a.transitive = members(f, "TransitiveTagKeys")
	for _, key := range a.transitive {
		if !containsFold(keys, key) {
			return refuse(http.StatusBadRequest, "InvalidParameterValue",
				"The specified transitive tag key must be included in the requested tags.")
		}
	}
	return nil
}

// formTags reads the tags of a call of STS or IAM, and their keys in the order in which they came.
func formTags(f url.Values) (keys []string, tags map[string]string, err error) {
	tags = map[string]string{}
	for i := 1; ; i++ {
		member := fmt.Sprintf("Tags.member.%d.", i)
		key, value := f.Get(member+"Key"), f.Get(member+"Value")
		if !f.Has(member + "Key") {
			break
		}
		if containsFold(keys, key) {
			return nil, nil, refuse(http.StatusBadRequest, "InvalidParameterValue",
				"Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if !validTag(key, value) {
			return nil, nil, errConstraint("tags", key)
		}
		keys = append(keys, key)
		tags[key] = value
	}
	if len(keys) > maxSessionTags {
		return nil, nil, errValidation("1 validation error detected: Value at 'tags' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxSessionTags)
	}
	return keys, tags, nil
}

// members reads a list of the query protocol.
func members(f url.Values, name string) []string {
	var list []string
	for i := 1; f.Has(fmt.Sprintf("%s.member.%d", name, i)); i++ {
		list = append(list, f.Get(fmt.Sprintf("%s.member.%d", name, i)))
	}
	return list
}

func validTag(key, value string) bool {
	ok := func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) && !strings.ContainsRune("_.:/=+-@", r)
		})
	}
	return key != "" && utf8.RuneCountInString(key) <= maxTagKey && utf8.RuneCountInString(value) <= maxTagValue &&
		ok(key) && ok(value) && !strings.HasPrefix(strings.ToLower(key), "aws:")
}

// allowAssumption asks for every action that the call amounts to: sts:AssumeRole itself, sts:TagSession
// when tags are passed or inherited, sts:SetSourceIdentity when there is one or the caller's sticks.
func (q *request) allowAssumption(a *assumption) error {
	inherited := q.inherited()
	for key := range a.tags {
		if containsFold(slices.Collect(maps.Keys(inherited)), key) {
			return refuse(http.StatusBadRequest, "InvalidParameterValue",
				"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
	}
	if q.caller.sourceIdentity != "" && a.sourceIdentity != "" && a.sourceIdentity != q.caller.sourceIdentity {
		return q.denyAssumption("sts:SetSourceIdentity", a.role.ARN)
	}
	actions := []string{"sts:AssumeRole"}
	if len(a.tags)+len(inherited) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if a.sourceIdentity != "" || q.caller.sourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	q.cloud.mu.RLock()
	trust := a.role.trust
	q.cloud.mu.RUnlock()
	for _, action := range actions {
		d := q.decide(question{
			action: action, resource: a.role.ARN, account: a.role.account.id,
			kind: iam.Trust, policy: trust, context: q.assumptionFacts(a, action),
		})
		if !d.Allowed {
			return q.denyAssumption(action, a.role.ARN)
		}
	}
	return nil
}

func (q *request) denyAssumption(action, role string) error {
	return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s",
		q.caller.caller.ARN, action, role)
}

// assumptionFacts are the context keys of one of the actions: sts:ExternalId is there for
// sts:AssumeRole only, the tags for it and sts:TagSession ("IAM and AWS STS condition context keys").
func (q *request) assumptionFacts(a *assumption, action string) map[string][]string {
	f := map[string][]string{"sts:RoleSessionName": {a.name}}
	if action == "sts:AssumeRole" && a.externalID != "" {
		f["sts:ExternalId"] = []string{a.externalID}
	}
	if identity := cmp.Or(a.sourceIdentity, q.caller.sourceIdentity); identity != "" {
		f["sts:SourceIdentity"] = []string{identity}
	}
	if action == "sts:SetSourceIdentity" {
		return f
	}
	tags := maps.Clone(q.inherited())
	maps.Copy(tags, a.tags)
	for k, v := range tags {
		f["aws:RequestTag/"+k] = []string{v}
	}
	if len(tags) > 0 {
		f["aws:TagKeys"] = slices.Sorted(maps.Keys(tags))
	}
	if len(a.transitive) > 0 {
		f["sts:TransitiveTagKeys"] = a.transitive
	}
	return f
}

func (q *request) checkDuration(a *assumption) error {
	switch {
	case a.duration < minSession || a.duration > 12*time.Hour:
		return errConstraint("durationSeconds", strconv.Itoa(int(a.duration.Seconds())))
	case q.caller.role != nil && a.duration > maxChained:
		return errValidation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case a.duration > a.role.maxSession:
		return errValidation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return nil
}
