package awsfake

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/iam"
)

// roleARN is the ARN of the role that the request names, whether it exists or is about to.
func (q *iamRequest) roleARN() string { return q.entityARN("role", "RoleName") }

// role finds the role that the request names. The caller holds the directory's lock.
func (q *iamRequest) role() (*Role, error) {
	name, err := q.entityName("RoleName", 64)
	if err != nil {
		return nil, err
	}
	r := q.cloud.directory.roleNamed(q.caller.account, name)
	if r == nil || r.Name != name {
		return nil, errNoSuchEntity("The role with name %s cannot be found.", name)
	}
	return r, nil
}

func (q *iamRequest) createRole(x *xmlWriter) error {
	name, err := q.entityName("RoleName", 64)
	if err != nil {
		return err
	}
	path, err := q.entityPath()
	if err != nil {
		return err
	}
	trust, err := q.trustPolicy("AssumeRolePolicyDocument")
	if err != nil {
		return err
	}
	_, tags, err := formTags(q.form)
	if err != nil {
		return err
	}
	longest, err := q.maxSession(time.Hour)
	if err != nil {
		return err
	}
	if q.cloud.directory.roleNamed(q.caller.account, name) != nil {
		return refuse(http.StatusConflict, "EntityAlreadyExists", "Role with name %s already exists.", name)
	}
	r := q.cloud.directory.newRole(q.caller.account, name, trust, RoleOptions{Tags: tags, MaxSession: longest, Path: path})
	r.description = q.form.Get("Description")
	if q.form.Has("PermissionsBoundary") {
		m, err := q.managedPolicy("PermissionsBoundary")
		if err != nil {
			return err
		}
		r.boundary, r.boundaryARN = m.document(), m.arn
	}
	q.cloud.directory.roles[r.ARN] = r
	x.open("Role")
	writeRole(r, x, true)
	x.close("Role")
	return nil
}

func (q *iamRequest) trustPolicy(parameter string) (*iam.Document, error) {
	if n := length(q.form.Get(parameter)); n > maxTrust {
		return nil, errQuota("Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	return q.policyDocument(parameter, iam.Trust)
}

// maxSession reads the longest duration of a session.
func (q *iamRequest) maxSession(otherwise time.Duration) (time.Duration, error) {
	text := q.form.Get("MaxSessionDuration")
	if text == "" {
		return otherwise, nil
	}
	seconds, err := strconv.Atoi(text)
	if longest := time.Duration(seconds) * time.Second; err == nil && longest >= time.Hour && longest <= 12*time.Hour {
		return longest, nil
	}
	return 0, errValidation("1 validation error detected: Value '%s' at 'maxSessionDuration' failed to satisfy constraint: "+
		"Member must have value between 3600 and 43200", text)
}

// writeRole is the role as IAM describes it; a listing leaves out what only one role's description has.
func writeRole(r *Role, x *xmlWriter, whole bool) {
	x.element("Path", r.path)
	x.element("RoleName", r.Name)
	x.element("RoleId", r.id)
	x.element("Arn", r.ARN)
	x.instant("CreateDate", r.created)
	if r.trust != nil {
		x.element("AssumeRolePolicyDocument", quoted(r.trust))
	}
	x.optional("Description", r.description)
	x.number("MaxSessionDuration", int64(r.maxSession.Seconds()))
	if !whole {
		return
	}
	writeBoundary(x, &r.identity)
	if len(r.tags) > 0 {
		writeTags(x, r.tags)
	}
}

func (q *iamRequest) getRole(x *xmlWriter) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	x.open("Role")
	writeRole(r, x, true)
	x.close("Role")
	return nil
}

func (q *iamRequest) listRoles(x *xmlWriter) error {
	var found []*Role
	for _, r := range q.cloud.directory.roles {
		if r.account == q.caller.account && strings.HasPrefix(r.path, q.form.Get("PathPrefix")) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *Role) int { return strings.Compare(a.Name, b.Name) })
	return writeList(q, x, "Roles", found, func(r *Role) { writeRole(r, x, false) })
}

func (q *iamRequest) updateRole(*xmlWriter) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	longest, err := q.maxSession(r.maxSession)
	if err != nil {
		return err
	}
	r.maxSession = longest
	if q.form.Has("Description") {
		r.description = q.form.Get("Description")
	}
	return nil
}

func (q *iamRequest) updateTrust(*xmlWriter) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	trust, err := q.trustPolicy("PolicyDocument")
	if err == nil {
		r.trust = trust
	}
	return err
}

func (q *iamRequest) deleteRole(*xmlWriter) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	if err := bare(&r.identity); err != nil {
		return err
	}
	r.remove()
	return nil
}

func (q *iamRequest) tagRole(*xmlWriter) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	_, added, err := formTags(q.form)
	if err != nil {
		return err
	}
	tags := maps.Clone(r.tags)
	if tags == nil {
		tags = map[string]string{}
	}
	for k, v := range added {
		maps.DeleteFunc(tags, func(old, _ string) bool { return strings.EqualFold(old, k) })
		tags[k] = v
	}
	r.tags = tags
	return nil
}

func (q *iamRequest) untagRole(*xmlWriter) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	keys := members(q.form, "TagKeys")
	tags := maps.Clone(r.tags)
	maps.DeleteFunc(tags, func(k, _ string) bool { return containsFold(keys, k) })
	r.tags = tags
	return nil
}

func (q *iamRequest) listRoleTags(x *xmlWriter) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	writeTags(x, r.tags)
	x.boolean("IsTruncated", false)
	return nil
}

// listInstanceProfiles answers that there are none: the fake has no machines.
func (q *iamRequest) listInstanceProfiles(x *xmlWriter) error {
	if _, err := q.role(); err != nil {
		return err
	}
	return writeList(q, x, "InstanceProfiles", []string(nil), x.text)
}
