package awsfake

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncd/internal/iam"
)

// maxVersions is of one managed policy.
const maxVersions = 5

// managed is a policy that stands by itself and is attached to users and roles. Guarded by Cloud.mu.
type managed struct {
	account         *Account // nil: AWS's own
	name, arn, id   string
	path            string
	description     string
	created         time.Time
	versions        []policyVersion // the newest last
	current, issued int             // numbers of versions
}

type policyVersion struct {
	number   int
	document *iam.Document
	created  time.Time
}

// managedByAWS are the policies of AWS that an account for a rehearsal may want.
func managedByAWS() map[string]*managed {
	m := &managed{
		name: "AdministratorAccess", arn: "arn:aws:iam::aws:policy/AdministratorAccess", id: "ANPAIWMBCKSKIEE64ZLYK", path: "/",
		created: time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC), current: 1, issued: 1,
	}
	m.versions = []policyVersion{{1, allowEverything(), m.created}}
	return map[string]*managed{m.arn: m}
}

// document is the version in force.
func (m *managed) document() *iam.Document { return m.versions[m.find(m.current)].document }

func (m *managed) find(number int) int {
	return slices.IndexFunc(m.versions, func(v policyVersion) bool { return v.number == number })
}

// policyARN is the ARN of the policy that the request names, or that of the one that it makes.
func (q *request) policyARN() string {
	if q.form.Has("PolicyArn") {
		return q.form.Get("PolicyArn")
	}
	return fmt.Sprintf("arn:aws:iam::%s:policy%s%s", q.caller.account.id, cmp.Or(q.form.Get("Path"), "/"), q.form.Get("PolicyName"))
}

// managedPolicy finds a policy of the caller's account, or of AWS, by its ARN. The caller holds Cloud.mu.
func (q *request) managedPolicy(parameter string) (*managed, error) {
	arn := q.form.Get(parameter)
	if arn == "" {
		return nil, errMissing(parameter)
	}
	m := q.cloud.managed[arn]
	if m == nil || m.account != nil && m.account != q.caller.account {
		return nil, errNoSuchEntity("Policy %s does not exist or is not attachable.", arn)
	}
	return m, nil
}

// ownPolicy is managedPolicy for a policy that is to be changed, which AWS's own are not.
func (q *request) ownPolicy() (*managed, error) {
	m, err := q.managedPolicy("PolicyArn")
	if err == nil && m.account == nil {
		return nil, refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: iam:%s on resource: policy %s",
			q.caller.caller.ARN, q.operation, m.arn)
	}
	return m, err
}

func (q *request) identityPolicy() (*iam.Document, error) {
	if length(q.form.Get("PolicyDocument")) > maxManagedPolicy {
		return nil, errQuota("Cannot exceed quota for PolicySize: %d", maxManagedPolicy)
	}
	return q.policyDocument("PolicyDocument", iam.Identity)
}

func (q *request) createPolicy(x *xmlWriter) error {
	name, err := q.entityName("PolicyName", 128)
	if err != nil {
		return err
	}
	path, err := q.entityPath()
	if err != nil {
		return err
	}
	d, err := q.identityPolicy()
	if err != nil {
		return err
	}
	for _, m := range q.cloud.managed {
		if m.account == q.caller.account && strings.EqualFold(m.name, name) {
			return refuse(http.StatusConflict, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", name)
		}
	}
	now := q.cloud.now()
	m := &managed{
		account: q.caller.account, name: name, arn: q.policyARN(), id: "ANPA" + q.cloud.random.letters(17), path: path,
		description: q.form.Get("Description"), created: now, versions: []policyVersion{{1, d, now}}, current: 1, issued: 1,
	}
	q.cloud.managed[m.arn] = m
	x.open("Policy")
	q.writePolicy(x, m)
	x.close("Policy")
	return nil
}

func (q *request) writePolicy(x *xmlWriter, m *managed) {
	x.element("PolicyName", m.name)
	x.element("PolicyId", m.id)
	x.element("Arn", m.arn)
	x.element("Path", m.path)
	x.element("DefaultVersionId", fmt.Sprintf("v%d", m.current))
	x.number("AttachmentCount", int64(len(q.cloud.attachedTo(m))))
	x.boolean("IsAttachable", true)
	x.optional("Description", m.description)
	x.iamTime("CreateDate", m.created)
	x.iamTime("UpdateDate", m.versions[len(m.versions)-1].created)
}

// attachedTo are the users and roles that a policy is attached to. The caller holds mu.
func (c *Cloud) attachedTo(m *managed) []*identity {
	var found []*identity
	for _, r := range c.roles {
		if slices.Contains(r.attached, m) {
			found = append(found, &r.identity)
		}
	}
	for _, u := range c.users {
		if slices.Contains(u.attached, m) {
			found = append(found, &u.identity)
		}
	}
	return found
}

func (q *request) getPolicy(x *xmlWriter) error {
	m, err := q.managedPolicy("PolicyArn")
	if err != nil {
		return err
	}
	x.open("Policy")
	q.writePolicy(x, m)
	x.close("Policy")
	return nil
}

func (q *request) listPolicies(x *xmlWriter) error {
	scope := cmp.Or(q.form.Get("Scope"), "All")
	var found []*managed
	for _, m := range q.cloud.managed {
		own := m.account == q.caller.account
		if own && scope != "AWS" || m.account == nil && scope != "Local" {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b *managed) int { return strings.Compare(a.name, b.name) })
	return writeList(q, x, "Policies", found, func(m *managed) { q.writePolicy(x, m) })
}

func (q *request) deletePolicy(*xmlWriter) error {
	m, err := q.ownPolicy()
	switch {
	case err != nil:
		return err
	case len(q.cloud.attachedTo(m)) > 0:
		return errDeleteConflict("Cannot delete a policy attached to entities.")
	case len(m.versions) > 1:
		return errDeleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	delete(q.cloud.managed, m.arn)
	return nil
}

func (q *request) createPolicyVersion(x *xmlWriter) error {
	m, err := q.ownPolicy()
	if err != nil {
		return err
	}
	d, err := q.identityPolicy()
	if err != nil {
		return err
	}
	if len(m.versions) == maxVersions {
		return errQuota("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
	}
	m.issued++
	m.versions = append(m.versions, policyVersion{m.issued, d, q.cloud.now()})
	if q.form.Get("SetAsDefault") == "true" {
		q.cloud.enforce(m, m.issued)
	}
	x.open("PolicyVersion")
	m.writeVersion(x, len(m.versions)-1)
	x.close("PolicyVersion")
	return nil
}

// enforce puts a version in force, wherever the policy is attached or a boundary. The caller holds mu.
func (c *Cloud) enforce(m *managed, number int) {
	m.current = number
	for _, i := range c.attachedTo(m) {
		i.gather()
	}
	for _, r := range c.roles {
		if r.boundaryARN == m.arn {
			r.boundary = m.document()
		}
	}
	for _, u := range c.users {
		if u.boundaryARN == m.arn {
			u.boundary = m.document()
		}
	}
}

func (m *managed) writeVersion(x *xmlWriter, at int) {
	x.element("VersionId", fmt.Sprintf("v%d", m.versions[at].number))
	x.boolean("IsDefaultVersion", m.versions[at].number == m.current)
	x.iamTime("CreateDate", m.versions[at].created)
}

// version finds the version that the request names.
func (q *request) version(find func() (*managed, error)) (*managed, int, error) {
	m, err := find()
	if err != nil {
		return nil, 0, err
	}
	id := q.form.Get("VersionId")
	at := slices.IndexFunc(m.versions, func(v policyVersion) bool { return fmt.Sprintf("v%d", v.number) == id })
	if at < 0 {
		return nil, 0, errNoSuchEntity("Policy %s version %s does not exist or is not attachable.", m.arn, id)
	}
	return m, at, nil
}

func (q *request) getPolicyVersion(x *xmlWriter) error {
	m, at, err := q.version(func() (*managed, error) { return q.managedPolicy("PolicyArn") })
	if err != nil {
		return err
	}
	x.open("PolicyVersion")
	x.element("Document", quoted(m.versions[at].document))
	m.writeVersion(x, at)
	x.close("PolicyVersion")
	return nil
}

func (q *request) listPolicyVersions(x *xmlWriter) error {
	m, err := q.managedPolicy("PolicyArn")
	if err != nil {
		return err
	}
	var newest []int
	for at := range m.versions {
		newest = append([]int{at}, newest...)
	}
	return writeList(q, x, "Versions", newest, func(at int) { m.writeVersion(x, at) })
}

func (q *request) setDefaultPolicyVersion(*xmlWriter) error {
	m, at, err := q.version(q.ownPolicy)
	if err != nil {
		return err
	}
	q.cloud.enforce(m, m.versions[at].number)
	return nil
}

func (q *request) deletePolicyVersion(*xmlWriter) error {
	m, at, err := q.version(q.ownPolicy)
	if err != nil {
		return err
	}
	if m.versions[at].number == m.current {
		return errDeleteConflict("Cannot delete the default version of a policy.")
	}
	m.versions = slices.Delete(slices.Clone(m.versions), at, at+1)
	return nil
}
