package awsfake

import (
	"net/http"
	"slices"
	"strings"
)

// maxAccessKeys is per user.
const maxAccessKeys = 2

// userARN is the ARN of the user that the request names; without a name it is the caller.
func (q *iamRequest) userARN() string {
	if q.form.Get("UserName") == "" && q.caller.user != nil {
		return q.caller.user.ARN
	}
	return q.entityARN("user", "UserName")
}

// user finds the user that the request names, or the caller. The caller holds the directory's lock.
func (q *iamRequest) user() (*User, error) {
	if q.form.Get("UserName") == "" && q.caller.user != nil {
		return q.caller.user, nil
	}
	name, err := q.entityName("UserName", 64)
	if err != nil {
		return nil, err
	}
	u := q.cloud.directory.userNamed(q.caller.account, name)
	if u == nil || u.Name != name {
		return nil, errNoSuchEntity("The user with name %s cannot be found.", name)
	}
	return u, nil
}

func (q *iamRequest) createUser(x *xmlWriter) error {
	name, err := q.entityName("UserName", 64)
	if err != nil {
		return err
	}
	path, err := q.entityPath()
	if err != nil {
		return err
	}
	if q.cloud.directory.userNamed(q.caller.account, name) != nil {
		return refuse(http.StatusConflict, "EntityAlreadyExists", "User with name %s already exists.", name)
	}
	u := q.cloud.directory.newUser(q.caller.account, name, path)
	q.cloud.directory.users[u.ARN] = u
	x.open("User")
	writeUser(u, x)
	x.close("User")
	return nil
}

func writeUser(u *User, x *xmlWriter) {
	x.element("Path", u.path)
	x.element("UserName", u.Name)
	x.element("UserId", u.id)
	x.element("Arn", u.ARN)
	x.instant("CreateDate", u.created)
	writeBoundary(x, &u.identity)
}

func (q *iamRequest) getUser(x *xmlWriter) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	x.open("User")
	writeUser(u, x)
	x.close("User")
	return nil
}

func (q *iamRequest) listUsers(x *xmlWriter) error {
	var found []*User
	for _, u := range q.cloud.directory.users {
		if u.account == q.caller.account && strings.HasPrefix(u.path, q.form.Get("PathPrefix")) {
			found = append(found, u)
		}
	}
	slices.SortFunc(found, func(a, b *User) int { return strings.Compare(a.Name, b.Name) })
	return writeList(q, x, "Users", found, func(u *User) { writeUser(u, x) })
}

func (q *iamRequest) deleteUser(*xmlWriter) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	if len(u.accessKeys()) > 0 {
		return errDeleteConflict("Cannot delete entity, must delete access keys first.")
	}
	if err := bare(&u.identity); err != nil {
		return err
	}
	delete(q.cloud.directory.users, u.ARN)
	q.cloud.directory.renamePrincipal(u.ARN, u.id)
	return nil
}

func (q *iamRequest) createAccessKey(x *xmlWriter) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	if len(u.accessKeys()) >= maxAccessKeys {
		return errQuota("Cannot exceed quota for AccessKeysPerUser: %d", maxAccessKeys)
	}
	id, secret := u.addAccessKey()
	x.open("AccessKey")
	q.writeAccessKey(x, u, id)
	x.element("SecretAccessKey", secret)
	x.close("AccessKey")
	return nil
}

func (q *iamRequest) writeAccessKey(x *xmlWriter, u *User, id string) {
	x.element("UserName", u.Name)
	x.element("AccessKeyId", id)
	x.element("Status", "Active")
	x.instant("CreateDate", q.cloud.directory.credentials[id].created)
}

func (q *iamRequest) listAccessKeys(x *xmlWriter) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	return writeList(q, x, "AccessKeyMetadata", u.accessKeys(), func(id string) { q.writeAccessKey(x, u, id) })
}

func (q *iamRequest) deleteAccessKey(*xmlWriter) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	id := q.form.Get("AccessKeyId")
	if cred := q.cloud.directory.credentials[id]; cred == nil || cred.user != u {
		return errNoSuchEntity("The Access Key with id %s cannot be found.", id)
	}
	delete(q.cloud.directory.credentials, id)
	return nil
}
