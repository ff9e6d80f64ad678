package identity

import (
	"slices"
	"strings"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// holder is a user or role with policies.
type holder struct {
	*directory.Identity
	kind, name string // "role" and its name
	most       int    // maximum characters of inline policies
}

// holder returns the user or role that the request names. The caller must hold the directory's
// lock.
func (q *request) holder() (holder, error) {
	if q.Form.Has("UserName") {
		u, err := q.user()
		if err != nil {
			return holder{}, err
		}
		return holder{&u.Identity, "user", u.Name, maxUserPolicies}, nil
	}
	r, err := q.role()
	if err != nil {
		return holder{}, err
	}
	return holder{&r.Identity, "role", r.Name, maxRolePolicies}, nil
}

func (q *request) putInlinePolicy(*wire.XML) error {
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
	total := length(q.Form.Get("PolicyDocument"))
	for _, p := range h.Inline {
		if p.Name != name {
			total += length(p.Document.String())
		}
	}
	if total > h.most {
		return errQuota("Maximum policy size of %d bytes exceeded for %s %s", h.most, h.kind, h.name)
	}
	h.Put(name, d)
	return nil
}

// inlinePolicy returns the inline policy that the request names.
func (q *request) inlinePolicy() (h holder, at int, err error) {
	if h, err = q.holder(); err != nil {
		return h, 0, err
	}
	name := q.Form.Get("PolicyName")
	if at = h.Find(name); at < 0 {
		return h, 0, errNoSuchEntity("The %s policy with name %s cannot be found.", h.kind, name)
	}
	return h, at, nil
}

func (q *request) getInlinePolicy(x *wire.XML) error {
	h, at, err := q.inlinePolicy()
	if err != nil {
		return err
	}
	x.Element(strings.ToUpper(h.kind[:1])+h.kind[1:]+"Name", h.name)
	x.Element("PolicyName", h.Inline[at].Name)
	x.Element("PolicyDocument", quoted(h.Inline[at].Document))
	return nil
}

func (q *request) deleteInlinePolicy(*wire.XML) error {
	h, at, err := q.inlinePolicy()
	if err != nil {
		return err
	}
	h.Inline = slices.Delete(slices.Clone(h.Inline), at, at+1)
	h.Gather()
	return nil
}

func (q *request) listInlinePolicies(x *wire.XML) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	return writeList(q, x, "PolicyNames", h.Inline, func(p directory.InlinePolicy) { x.Text(p.Name) })
}

func (q *request) attachPolicy(*wire.XML) error {
	h, m, err := q.holderAndPolicy()
	switch {
	case err != nil:
		return err
	case slices.Contains(h.Attached, m):
		return nil
	case len(h.Attached) == maxAttached:
		return errQuota("Cannot exceed quota for PoliciesPer%s%s: %d", strings.ToUpper(h.kind[:1]), h.kind[1:], maxAttached)
	}
	h.Attached = append(slices.Clone(h.Attached), m)
	h.Gather()
	return nil
}

func (q *request) detachPolicy(*wire.XML) error {
	h, m, err := q.holderAndPolicy()
	if err != nil {
		return err
	}
	at := slices.Index(h.Attached, m)
	if at < 0 {
		return errNoSuchEntity("Policy %s was not found.", m.ARN)
	}
	h.Attached = slices.Delete(slices.Clone(h.Attached), at, at+1)
	h.Gather()
	return nil
}

func (q *request) holderAndPolicy() (holder, *directory.ManagedPolicy, error) {
	h, err := q.holder()
	if err != nil {
		return h, nil, err
	}
	m, err := q.managedPolicy("PolicyArn")
	return h, m, err
}

func (q *request) listAttachedPolicies(x *wire.XML) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	return writeList(q, x, "AttachedPolicies", h.Attached, func(m *directory.ManagedPolicy) {
		x.Element("PolicyName", m.Name)
		x.Element("PolicyArn", m.ARN)
	})
}

func (q *request) putBoundary(*wire.XML) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	m, err := q.managedPolicy("PermissionsBoundary")
	if err != nil {
		return err
	}
	h.Boundary, h.BoundaryARN = m.Document(), m.ARN
	return nil
}

func (q *request) deleteBoundary(*wire.XML) error {
	h, err := q.holder()
	if err != nil {
		return err
	}
	h.Boundary, h.BoundaryARN = nil, ""
	return nil
}
