package awsfake

import (
	"net/http"
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

// holder is a user or a role as the operations on policies see it.
type holder struct {
	*identity
	kind, name string // "role" and its name
	most       int    // characters of inline policies
}

// holder finds the user or role that the request names. The caller holds the directory's lock.
func (q *iamRequest) holder() (holder, error) {
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

// policyDocument reads a policy of one kind from a parameter.
func (q *iamRequest) policyDocument(parameter string, kind iam.ResourceKind) (*iam.Document, error) {
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
	if unknown := q.cloud.directory.unknownIn(d); unknown != "" {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"%s\"", unknown)
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

func (q *iamRequest) putInlinePolicy(*xmlWriter) error {
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
func (q *iamRequest) inlinePolicy() (h holder, at int, err error) {
	if h, err = q.holder(); err != nil {
		return h, 0, err
	}
	name := q.form.Get("PolicyName")
	if at = h.find(name); at < 0 {
		return h, 0, errNoSuchEntity("The %s policy with name %s cannot be found.", h.kind, name)
	}
	return h, at, nil
}

func (q *iamRequest) getInlinePolicy(x *xmlWriter) error {
	h, at, err := q.inlinePolicy()
	if err != nil {
		return err
	}
	x.element(strings.ToUpper(h.kind[:1])+h.kind[1:]+"Name", h.name)
	x.element("PolicyName", h.inline[at].name)
	x.element("PolicyDocument", quoted(h.inline[at].document))
	return nil
}

func (q *iamRequest) deleteInlinePolicy(*xmlWriter) error {
	h, at, err := q.inlinePolicy()
	if err != nil {
		return err
	}
	h.inline = slices.Delete(slices.Clone(h.inline), at, at+1)
	h.gather()
	return nil
}

func (q *iamRequest) listInlinePolicies(x *xmlWriter) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	return writeList(q, x, "PolicyNames", h.inline, func(p inlinePolicy) { x.text(p.name) })
}

func (q *iamRequest) attachPolicy(*xmlWriter) error {
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

func (q *iamRequest) detachPolicy(*xmlWriter) error {
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

func (q *iamRequest) holderAndPolicy() (holder, *managed, error) {
	h, err := q.holder()
	if err != nil {
		return h, nil, err
	}
	m, err := q.managedPolicy("PolicyArn")
	return h, m, err
}

func (q *iamRequest) listAttachedPolicies(x *xmlWriter) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	return writeList(q, x, "AttachedPolicies", h.attached, func(m *managed) {
		x.element("PolicyName", m.name)
		x.element("PolicyArn", m.arn)
	})
}

func (q *iamRequest) putBoundary(*xmlWriter) error {
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

func (q *iamRequest) deleteBoundary(*xmlWriter) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	h.boundary, h.boundaryARN = nil, ""
	return nil
}

// bare refuses to delete a user or role that has policies.
func bare(i *identity) error {
	switch {
	case len(i.attached) > 0:
		return errDeleteConflict("Cannot delete entity, must detach all policies first.")
	case len(i.inline) > 0:
		return errDeleteConflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}
