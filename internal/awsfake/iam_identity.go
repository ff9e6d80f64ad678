package awsfake

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"syncd/internal/iam"
)

// The limits of policies ("IAM and AWS STS quotas", IAM User Guide). White space does not count.
const (
	maxRolePolicies  = 10240 // characters of all inline policies of a role
	maxUserPolicies  = 2048  // likewise of a user
	maxManagedPolicy = 6144
	maxTrust         = 2048
	maxAttached      = 10
)

// identity is what a user and a role have in common: what they may do. Guarded by Cloud.mu.
type identity struct {
	inline      []inlinePolicy // sorted by name
	attached    []*managed     // in the order in which they were attached
	boundary    *iam.Document
	boundaryARN string // of the policy that is the boundary; "" when the owner's hand set it
	policies    []*iam.Document
}

// inlinePolicy is a policy that belongs to one user or role.
type inlinePolicy struct {
	name     string
	document *iam.Document
}

// replacePolicies replaces all policies by these, each inline.
func (i *identity) replacePolicies(policies []*iam.Document) {
	i.inline, i.attached = nil, nil
	for n, d := range policies {
		i.inline = append(i.inline, inlinePolicy{fmt.Sprintf("policy-%02d", n+1), d})
	}
	i.gather()
}

// gather makes the list of policies that requests are judged by. It is a new list each time: a request may hold the former one.
func (i *identity) gather() {
	i.policies = nil
	for _, p := range i.inline {
		i.policies = append(i.policies, p.document)
	}
	for _, m := range i.attached {
		i.policies = append(i.policies, m.document())
	}
}

func (i *identity) find(name string) int {
	return slices.IndexFunc(i.inline, func(p inlinePolicy) bool { return p.name == name })
}

// put adds an inline policy, or replaces the one of that name.
func (i *identity) put(name string, d *iam.Document) {
	i.inline = slices.DeleteFunc(slices.Clone(i.inline), func(p inlinePolicy) bool { return p.name == name })
	i.inline = append(i.inline, inlinePolicy{name, d})
	slices.SortFunc(i.inline, func(a, b inlinePolicy) int { return cmp.Compare(a.name, b.name) })
	i.gather()
}

// holder is a user or a role as the operations on policies see it.
type holder struct {
	*identity
	kind, name string // "role" and its name
	most       int    // characters of inline policies
}

// holder finds the user or role that the request names. The caller holds Cloud.mu.
func (q *request) holder() (holder, error) {
	if q.form.Has("UserName") {
		u, err := q.user()
		if err != nil {
			return holder{}, err
		}
		return holder{&u.identity, "user", u.Name, maxUserPolicies}, nil
	}
	r, err := q.role()
	if err != nil {
		return holder{}, err
	}
	return holder{&r.identity, "role", r.Name, maxRolePolicies}, nil
}

func errNoSuchEntity(format string, args ...any) error {
	return refuse(http.StatusNotFound, "NoSuchEntity", format, args...)
}

func errDeleteConflict(text string) error {
	return refuse(http.StatusConflict, "DeleteConflict", "%s", text)
}

func errQuota(format string, args ...any) error {
	return refuse(http.StatusConflict, "LimitExceeded", format, args...)
}

// policyDocument reads a policy of one kind from a parameter.
func (q *request) policyDocument(parameter string, kind iam.ResourceKind) (*iam.Document, error) {
	if q.form.Get(parameter) == "" {
		return nil, errMissing(parameter)
	}
	d, err := iam.Parse([]byte(q.form.Get(parameter)))
	if err == nil {
		err = d.CheckKind(kind)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicyDocument", "%v", err)
	}
	if stranger := q.cloud.strangerIn(d); stranger != "" {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"%s\"", stranger)
	}
	return d, nil
}

// length is how many characters of a policy count.
func length(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func (q *request) putInlinePolicy(*xmlWriter) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	name, err := q.entityName("PolicyName", 128)
	if err != nil {
		return err
	}
	d, err := q.policyDocument("PolicyDocument", iam.Identity)
	if err != nil {
		return err
	}
	total := length(q.form.Get("PolicyDocument"))
	for _, p := range h.inline {
		if p.name != name {
			total += length(p.document.String())
		}
	}
	if total > h.most {
		return errQuota("Maximum policy size of %d bytes exceeded for %s %s", h.most, h.kind, h.name)
	}
	h.put(name, d)
	return nil
}

// inlinePolicy finds the inline policy that the request names.
func (q *request) inlinePolicy() (h holder, at int, err error) {
	if h, err = q.holder(); err != nil {
		return h, 0, err
	}
	name := q.form.Get("PolicyName")
	if at = h.find(name); at < 0 {
		return h, 0, errNoSuchEntity("The %s policy with name %s cannot be found.", h.kind, name)
	}
	return h, at, nil
}

func (q *request) getInlinePolicy(x *xmlWriter) error {
	h, at, err := q.inlinePolicy()
	if err != nil {
		return err
	}
	x.element(strings.ToUpper(h.kind[:1])+h.kind[1:]+"Name", h.name)
	x.element("PolicyName", h.inline[at].name)
	x.element("PolicyDocument", quoted(h.inline[at].document))
	return nil
}

// quoted is a policy as IAM answers it: escaped as in a URL.
func quoted(d *iam.Document) string {
	return strings.ReplaceAll(url.QueryEscape(d.String()), "+", "%20")
}

func (q *request) deleteInlinePolicy(*xmlWriter) error {
	h, at, err := q.inlinePolicy()
	if err != nil {
		return err
	}
	h.inline = slices.Delete(slices.Clone(h.inline), at, at+1)
	h.gather()
	return nil
}

func (q *request) listInlinePolicies(x *xmlWriter) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	return writeList(q, x, "PolicyNames", h.inline, func(p inlinePolicy) { x.text(p.name) })
}

func (q *request) attachPolicy(*xmlWriter) error {
	h, m, err := q.holderAndPolicy()
	switch {
	case err != nil:
		return err
	case slices.Contains(h.attached, m):
		return nil
	case len(h.attached) == maxAttached:
		return errQuota("Cannot exceed quota for PoliciesPer%s%s: %d", strings.ToUpper(h.kind[:1]), h.kind[1:], maxAttached)
	}
	h.attached = append(slices.Clone(h.attached), m)
	h.gather()
	return nil
}

func (q *request) detachPolicy(*xmlWriter) error {
	h, m, err := q.holderAndPolicy()
	if err != nil {
		return err
	}
	at := slices.Index(h.attached, m)
	if at < 0 {
		return errNoSuchEntity("Policy %s was not found.", m.arn)
	}
	h.attached = slices.Delete(slices.Clone(h.attached), at, at+1)
	h.gather()
	return nil
}

func (q *request) holderAndPolicy() (holder, *managed, error) {
	h, err := q.holder()
	if err != nil {
		return h, nil, err
	}
	m, err := q.managedPolicy("PolicyArn")
	return h, m, err
}

func (q *request) listAttachedPolicies(x *xmlWriter) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	return writeList(q, x, "AttachedPolicies", h.attached, func(m *managed) {
		x.element("PolicyName", m.name)
		x.element("PolicyArn", m.arn)
	})
}

func (q *request) putBoundary(*xmlWriter) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	m, err := q.managedPolicy("PermissionsBoundary")
	if err != nil {
		return err
	}
	h.boundary, h.boundaryARN = m.document(), m.arn
	return nil
}

func (q *request) deleteBoundary(*xmlWriter) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	h.boundary, h.boundaryARN = nil, ""
	return nil
}

// bare refuses to delete a user or role that has policies.
func (i *identity) bare() error {
	switch {
	case len(i.attached) > 0:
		return errDeleteConflict("Cannot delete entity, must detach all policies first.")
	case len(i.inline) > 0:
		return errDeleteConflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}
