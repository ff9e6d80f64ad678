package awsfake

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// maxVersions is of one managed policy.
const maxVersions = 5

// policyARN is the ARN of the policy that the request names, or that of the one that it makes.
func (q *iamRequest) policyARN() string {
	if q.form.Has("PolicyArn") {
		return q.form.Get("PolicyArn")
	}
	return fmt.Sprintf("arn:aws:iam::%s:policy%s%s", q.caller.account.ID(), cmp.Or(q.form.Get("Path"), "/"), q.form.Get("PolicyName"))
}

// managedPolicy finds a policy of the caller's account, or of AWS, by its ARN. The caller holds the directory's lock.
func (q *iamRequest) managedPolicy(parameter string) (*managed, error) {
	arn := q.form.Get(parameter)
	if arn == "" {
		return nil, errMissing(parameter)
	}
	m := q.cloud.directory.managed[arn]
	if m == nil || m.account != nil && m.account != q.caller.account {
		return nil, errNoSuchEntity("Policy %s does not exist or is not attachable.", arn)
	}
	return m, nil
}

// ownPolicy is managedPolicy for a policy that is to be changed, which AWS's own are not.
func (q *iamRequest) ownPolicy() (*managed, error) {
	m, err := q.managedPolicy("PolicyArn")
	if err == nil && m.account == nil {
		return nil, refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: iam:%s on resource: policy %s",
			q.caller.caller.ARN, q.operation, m.arn)
	}
	return m, err
}

func (q *iamRequest) identityPolicy() (*iam.Document, error) {
	if length(q.form.Get("PolicyDocument")) > maxManagedPolicy {
		return nil, errQuota("Cannot exceed quota for PolicySize: %d", maxManagedPolicy)
	}
	return q.policyDocument("PolicyDocument", iam.Identity)
}

func (q *iamRequest) createPolicy(x *xmlWriter) error {
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
	for _, m := range q.cloud.directory.managed {
		if m.account == q.caller.account && strings.EqualFold(m.name, name) {
			return refuse(http.StatusConflict, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", name)
		}
	}
	now := q.cloud.now()
	m := &managed{
		account: q.caller.account, name: name, arn: q.policyARN(), id: "ANPA" + q.cloud.random.letters(17), path: path,
		description: q.form.Get("Description"), created: now, versions: []policyVersion{{1, d, now}}, current: 1, issued: 1,
	}
	q.cloud.directory.managed[m.arn] = m
	x.open("Policy")
	q.writePolicy(x, m)
	x.close("Policy")
	return nil
}

func (q *iamRequest) writePolicy(x *xmlWriter, m *managed) {
	x.element("PolicyName", m.name)
	x.element("PolicyId", m.id)
	x.element("Arn", m.arn)
	x.element("Path", m.path)
	x.element("DefaultVersionId", fmt.Sprintf("v%d", m.current))
	x.number("AttachmentCount", int64(len(q.cloud.directory.attachedTo(m))))
	x.boolean("IsAttachable", true)
	x.optional("Description", m.description)
	x.instant("CreateDate", m.created)
	x.instant("UpdateDate", m.versions[len(m.versions)-1].created)
}

func (q *iamRequest) getPolicy(x *xmlWriter) error {
	m, err := q.managedPolicy("PolicyArn")
	if err != nil {
		return err
	}
	x.open("Policy")
	q.writePolicy(x, m)
	x.close("Policy")
	return nil
}

func (q *iamRequest) listPolicies(x *xmlWriter) error {
	scope := cmp.Or(q.form.Get("Scope"), "All")
	var found []*managed
	for _, m := range q.cloud.directory.managed {
		own := m.account == q.caller.account
		if own && scope != "AWS" || m.account == nil && scope != "Local" {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b *managed) int { return strings.Compare(a.name, b.name) })
	return writeList(q, x, "Policies", found, func(m *managed) { q.writePolicy(x, m) })
}

func (q *iamRequest) deletePolicy(*xmlWriter) error {
	m, err := q.ownPolicy()
	switch {
	case err != nil:
		return err
	case len(q.cloud.directory.attachedTo(m)) > 0:
		return errDeleteConflict("Cannot delete a policy attached to entities.")
	case len(m.versions) > 1:
		return errDeleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	delete(q.cloud.directory.managed, m.arn)
	return nil
}

func (q *iamRequest) createPolicyVersion(x *xmlWriter) error {
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
		q.cloud.directory.enforce(m, m.issued)
	}
	x.open("PolicyVersion")
	writeVersion(m, x, len(m.versions)-1)
	x.close("PolicyVersion")
	return nil
}

func writeVersion(m *managed, x *xmlWriter, at int) {
	x.element("VersionId", fmt.Sprintf("v%d", m.versions[at].number))
	x.boolean("IsDefaultVersion", m.versions[at].number == m.current)
	x.instant("CreateDate", m.versions[at].created)
}

// version finds the version that the request names.
func (q *iamRequest) version(find func() (*managed, error)) (*managed, int, error) {
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

func (q *iamRequest) getPolicyVersion(x *xmlWriter) error {
	m, at, err := q.version(func() (*managed, error) { return q.managedPolicy("PolicyArn") })
	if err != nil {
		return err
	}
	x.open("PolicyVersion")
	x.element("Document", quoted(m.versions[at].document))
	writeVersion(m, x, at)
	x.close("PolicyVersion")
	return nil
}

func (q *iamRequest) listPolicyVersions(x *xmlWriter) error {
	m, err := q.managedPolicy("PolicyArn")
	if err != nil {
		return err
	}
	var newest []int
	for at := range m.versions {
		newest = append([]int{at}, newest...)
	}
	return writeList(q, x, "Versions", newest, func(at int) { writeVersion(m, x, at) })
}

func (q *iamRequest) setDefaultPolicyVersion(*xmlWriter) error {
	m, at, err := q.version(q.ownPolicy)
	if err != nil {
		return err
	}
	q.cloud.directory.enforce(m, m.versions[at].number)
	return nil
}

func (q *iamRequest) deletePolicyVersion(*xmlWriter) error {
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
