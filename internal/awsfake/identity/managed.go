package identity

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// maxVersions is the maximum number of versions of a managed policy.
const maxVersions = 5

// policyARN returns the ARN of the policy that the request names or creates.
func (q *request) policyARN() string {
	if q.Form.Has("PolicyArn") {
		return q.Form.Get("PolicyArn")
	}
	return q.Caller.Account.ARN("iam", "", "policy"+cmp.Or(q.Form.Get("Path"), "/")+q.Form.Get("PolicyName"))
}

// managedPolicy returns a policy of the caller's account, or an AWS managed policy, by ARN. The
// caller holds the directory's lock.
func (q *request) managedPolicy(parameter string) (*directory.ManagedPolicy, error) {
	arn := q.Form.Get(parameter)
	if arn == "" {
		return nil, errMissing(parameter)
	}
	m := q.Cloud.Directory.Managed[arn]
	if m == nil || m.Account != nil && m.Account != q.Caller.Account {
		return nil, errNoSuchEntity("Policy %s does not exist or is not attachable.", arn)
	}
	return m, nil
}

// ownPolicy is managedPolicy for a request that changes the policy. AWS managed policies cannot be
// changed.
func (q *request) ownPolicy() (*directory.ManagedPolicy, error) {
	m, err := q.managedPolicy("PolicyArn")
	if err == nil && m.Account == nil {
		return nil, wire.Refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: iam:%s on resource: policy %s",
			q.Caller.Caller.ARN, q.Operation, m.ARN)
	}
	return m, err
}

func (q *request) identityPolicy() (*iam.Document, error) {
	if length(q.Form.Get("PolicyDocument")) > maxManagedPolicy {
		return nil, errQuota("Cannot exceed quota for PolicySize: %d", maxManagedPolicy)
	}
	return q.policyDocument("PolicyDocument", iam.Identity)
}

func (q *request) createPolicy(x *wire.XML) error {
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
	for _, m := range q.Cloud.Directory.Managed {
		if m.Account == q.Caller.Account && strings.EqualFold(m.Name, name) {
			return wire.Refuse(http.StatusConflict, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", name)
		}
	}
	now := q.Cloud.Now()
	m := &directory.ManagedPolicy{
		Account: q.Caller.Account, Name: name, ARN: q.policyARN(), ID: "ANPA" + q.Cloud.Random.Letters(17), Path: path,
		Description: q.Form.Get("Description"), Created: now, Versions: []directory.PolicyVersion{{Number: 1, Document: d, Created: now}}, Current: 1, Issued: 1,
	}
	q.Cloud.Directory.Managed[m.ARN] = m
	x.Open("Policy")
	q.writePolicy(x, m)
	x.Close("Policy")
	return nil
}

func (q *request) writePolicy(x *wire.XML, m *directory.ManagedPolicy) {
	x.Element("PolicyName", m.Name)
	x.Element("PolicyId", m.ID)
	x.Element("Arn", m.ARN)
	x.Element("Path", m.Path)
	x.Element("DefaultVersionId", fmt.Sprintf("v%d", m.Current))
	x.Number("AttachmentCount", int64(len(q.Cloud.Directory.AttachedTo(m))))
	x.Boolean("IsAttachable", true)
	x.Optional("Description", m.Description)
	x.Instant("CreateDate", m.Created)
	x.Instant("UpdateDate", m.Versions[len(m.Versions)-1].Created)
}

func (q *request) getPolicy(x *wire.XML) error {
	m, err := q.managedPolicy("PolicyArn")
	if err != nil {
		return err
	}
	x.Open("Policy")
	q.writePolicy(x, m)
	x.Close("Policy")
	return nil
}

func (q *request) listPolicies(x *wire.XML) error {
	scope := cmp.Or(q.Form.Get("Scope"), "All")
	var found []*directory.ManagedPolicy
	for _, m := range q.Cloud.Directory.Managed {
		own := m.Account == q.Caller.Account
		if own && scope != "AWS" || m.Account == nil && scope != "Local" {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b *directory.ManagedPolicy) int { return strings.Compare(a.Name, b.Name) })
	return writeList(q, x, "Policies", found, func(m *directory.ManagedPolicy) { q.writePolicy(x, m) })
}

func (q *request) deletePolicy(*wire.XML) error {
	m, err := q.ownPolicy()
	switch {
	case err != nil:
		return err
	case len(q.Cloud.Directory.AttachedTo(m)) > 0:
		return errDeleteConflict("Cannot delete a policy attached to entities.")
	case len(m.Versions) > 1:
		return errDeleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	delete(q.Cloud.Directory.Managed, m.ARN)
	return nil
}

func (q *request) createPolicyVersion(x *wire.XML) error {
	m, err := q.ownPolicy()
	if err != nil {
		return err
	}
	d, err := q.identityPolicy()
	if err != nil {
		return err
	}
	if len(m.Versions) == maxVersions {
		return errQuota("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
	}
	m.Issued++
	m.Versions = append(m.Versions, directory.PolicyVersion{Number: m.Issued, Document: d, Created: q.Cloud.Now()})
	if q.Form.Get("SetAsDefault") == "true" {
		q.Cloud.Directory.Enforce(m, m.Issued)
	}
	x.Open("PolicyVersion")
	writeVersion(m, x, len(m.Versions)-1)
	x.Close("PolicyVersion")
	return nil
}

func writeVersion(m *directory.ManagedPolicy, x *wire.XML, at int) {
	x.Element("VersionId", fmt.Sprintf("v%d", m.Versions[at].Number))
	x.Boolean("IsDefaultVersion", m.Versions[at].Number == m.Current)
	x.Instant("CreateDate", m.Versions[at].Created)
}

// version returns the version that the request names.
func (q *request) version(find func() (*directory.ManagedPolicy, error)) (*directory.ManagedPolicy, int, error) {
	m, err := find()
	if err != nil {
		return nil, 0, err
	}
	id := q.Form.Get("VersionId")
	at := slices.IndexFunc(m.Versions, func(v directory.PolicyVersion) bool { return fmt.Sprintf("v%d", v.Number) == id })
	if at < 0 {
		return nil, 0, errNoSuchEntity("Policy %s version %s does not exist or is not attachable.", m.ARN, id)
	}
	return m, at, nil
}

func (q *request) getPolicyVersion(x *wire.XML) error {
	m, at, err := q.version(func() (*directory.ManagedPolicy, error) { return q.managedPolicy("PolicyArn") })
	if err != nil {
		return err
	}
	x.Open("PolicyVersion")
	x.Element("Document", quoted(m.Versions[at].Document))
	writeVersion(m, x, at)
	x.Close("PolicyVersion")
	return nil
}

func (q *request) listPolicyVersions(x *wire.XML) error {
	m, err := q.managedPolicy("PolicyArn")
	if err != nil {
		return err
	}
	var newest []int
	for at := range m.Versions {
		newest = append([]int{at}, newest...)
	}
	return writeList(q, x, "Versions", newest, func(at int) { writeVersion(m, x, at) })
}

func (q *request) setDefaultPolicyVersion(*wire.XML) error {
	m, at, err := q.version(q.ownPolicy)
	if err != nil {
		return err
	}
	q.Cloud.Directory.Enforce(m, m.Versions[at].Number)
	return nil
}

func (q *request) deletePolicyVersion(*wire.XML) error {
	m, at, err := q.version(q.ownPolicy)
	if err != nil {
		return err
	}
	if m.Versions[at].Number == m.Current {
		return errDeleteConflict("Cannot delete the default version of a policy.")
	}
	m.Versions = slices.Delete(slices.Clone(m.Versions), at, at+1)
	return nil
}
