package identity

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// roleARN returns the ARN of the existing or future role that the request names.
func (q *request) roleARN() string { return q.entityARN("role", "RoleName") }

// role returns the role that the request names. The caller must hold the directory's lock.
func (q *request) role() (*directory.Role, error) {
	name, err := q.entityName("RoleName", 64)
	if err != nil {
		return nil, err
	}
	r := q.Cloud.Directory.RoleNamed(q.Caller.Account, name)
	if r == nil || r.Name != name {
		return nil, errNoSuchEntity("The role with name %s cannot be found.", name)
	}
	return r, nil
}

func (q *request) createRole(x *wire.XML) error {
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
	_, tags, err := form.Tags(q.Form)
	if err != nil {
		return err
	}
	longest, err := q.maxSession(time.Hour)
	if err != nil {
		return err
	}
	if q.Cloud.Directory.RoleNamed(q.Caller.Account, name) != nil {
		return wire.Refuse(http.StatusConflict, "EntityAlreadyExists", "Role with name %s already exists.", name)
	}
	r := q.Cloud.Directory.NewRole(q.Caller.Account, name, trust, directory.RoleOptions{Tags: tags, MaxSession: longest, Path: path})
	r.Description = q.Form.Get("Description")
	if q.Form.Has("PermissionsBoundary") {
		m, err := q.managedPolicy("PermissionsBoundary")
		if err != nil {
			return err
		}
		r.Boundary, r.BoundaryARN = m.Document(), m.ARN
	}
	q.Cloud.Directory.Roles[r.ARN] = r
	x.Open("Role")
	writeRole(r, x, true)
	x.Close("Role")
	return nil
}

func (q *request) trustPolicy(parameter string) (*iam.Document, error) {
	if n := length(q.Form.Get(parameter)); n > maxTrust {
		return nil, errQuota("Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	return q.policyDocument(parameter, iam.Trust)
}

// maxSession returns the maximum session duration in the request, or otherwise if the request does
// not set it.
func (q *request) maxSession(otherwise time.Duration) (time.Duration, error) {
	text := q.Form.Get("MaxSessionDuration")
	if text == "" {
		return otherwise, nil
	}
	seconds, err := strconv.Atoi(text)
	if longest := time.Duration(seconds) * time.Second; err == nil && longest >= time.Hour && longest <= 12*time.Hour {
		return longest, nil
	}
	return 0, form.ErrValidation("1 validation error detected: Value '%s' at 'maxSessionDuration' failed to satisfy constraint: "+
		"Member must have value between 3600 and 43200", text)
}

// writeRole writes a role. Listings omit the elements that only GetRole returns.
func writeRole(r *directory.Role, x *wire.XML, whole bool) {
	x.Element("Path", r.Path)
	x.Element("RoleName", r.Name)
	x.Element("RoleId", r.ID)
	x.Element("Arn", r.ARN)
	x.Instant("CreateDate", r.Created)
	if r.Trust != nil {
		x.Element("AssumeRolePolicyDocument", quoted(r.Trust))
	}
	x.Optional("Description", r.Description)
	x.Number("MaxSessionDuration", int64(r.MaxSession.Seconds()))
	if !whole {
		return
	}
	writeBoundary(x, &r.Identity)
	if len(r.Tags) > 0 {
		writeTags(x, r.Tags)
	}
}

func (q *request) getRole(x *wire.XML) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	x.Open("Role")
	writeRole(r, x, true)
	x.Close("Role")
	return nil
}

func (q *request) listRoles(x *wire.XML) error {
	var found []*directory.Role
	for _, r := range q.Cloud.Directory.Roles {
		if r.Account == q.Caller.Account && strings.HasPrefix(r.Path, q.Form.Get("PathPrefix")) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *directory.Role) int { return strings.Compare(a.Name, b.Name) })
	return writeList(q, x, "Roles", found, func(r *directory.Role) { writeRole(r, x, false) })
}

func (q *request) updateRole(*wire.XML) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	longest, err := q.maxSession(r.MaxSession)
	if err != nil {
		return err
	}
	r.MaxSession = longest
	if q.Form.Has("Description") {
		r.Description = q.Form.Get("Description")
	}
	return nil
}

func (q *request) updateTrust(*wire.XML) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	trust, err := q.trustPolicy("PolicyDocument")
	if err == nil {
		r.Trust = trust
	}
	return err
}

func (q *request) deleteRole(*wire.XML) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	if err := bare(&r.Identity); err != nil {
		return err
	}
	r.Remove()
	return nil
}

func (q *request) tagRole(*wire.XML) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	_, added, err := form.Tags(q.Form)
	if err != nil {
		return err
	}
	tags := maps.Clone(r.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	for k, v := range added {
		maps.DeleteFunc(tags, func(old, _ string) bool { return strings.EqualFold(old, k) })
		tags[k] = v
	}
	r.Tags = tags
	return nil
}

func (q *request) untagRole(*wire.XML) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	keys := form.Members(q.Form, "TagKeys")
	tags := maps.Clone(r.Tags)
	maps.DeleteFunc(tags, func(k, _ string) bool { return wire.ContainsFold(keys, k) })
	r.Tags = tags
	return nil
}

func (q *request) listRoleTags(x *wire.XML) error {
	r, err := q.role()
	if err != nil {
		return err
	}
	writeTags(x, r.Tags)
	x.Boolean("IsTruncated", false)
	return nil
}

// listInstanceProfiles returns an empty list: the fake has no instances.
func (q *request) listInstanceProfiles(x *wire.XML) error {
	if _, err := q.role(); err != nil {
		return err
	}
	return writeList(q, x, "InstanceProfiles", []string(nil), x.Text)
}
