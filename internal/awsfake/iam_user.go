package awsfake

import (
	"net/http"
	"slices"
	"strings"
)

// maxAccessKeys is per user.
const maxAccessKeys = 2

// userARN is the ARN of the user that the request names; without a name it is the caller.
func (q *request) userARN() string {
	if q.form.Get("UserName") == "" && q.caller.user != nil {
		return q.caller.user.ARN
	}
	return q.entityARN("user", "UserName")
}

// userNamed finds a user whatever its path. The caller holds mu.
func (c *Cloud) userNamed(a *Account, name string) *User {
	for _, u := range c.users {
		if u.account == a && strings.EqualFold(u.Name, name) {
			return u
		}
	}
	return nil
}

// user finds the user that the request names, or the caller. The caller holds Cloud.mu.
func (q *request) user() (*User, error) {
	if q.form.Get("UserName") == "" && q.caller.user != nil {
		return q.caller.user, nil
	}
	name, err := q.entityName("UserName", 64)
	if err != nil {
		return nil, err
	}
	u := q.cloud.userNamed(q.caller.account, name)
	if u == nil || u.Name != name {
		return nil, errNoSuchEntity("The user with name %s cannot be found.", name)
	}
	return u, nil
}

func (q *request) createUser(x *xmlWriter) error {
	name, err := q.entityName("UserName", 64)
	if err != nil {
		return err
	}
	path, err := q.entityPath()
	if err != nil {
		return err
	}
	if q.cloud.userNamed(q.caller.account, name) != nil {
		return refuse(http.StatusConflict, "EntityAlreadyExists", "User with name %s already exists.", name)
	}
	u := q.caller.account.newUser(name, path)
	q.cloud.users[u.ARN] = u
	x.open("User")
	u.write(x)
	x.close("User")
	return nil
}

func (u *User) write(x *xmlWriter) {
	x.element("Path", u.path)
	x.element("UserName", u.Name)
	x.element("UserId", u.id)
	x.element("Arn", u.ARN)
	x.iamTime("CreateDate", u.created)
	x.iamBoundary(&u.identity)
}

func (q *request) getUser(x *xmlWriter) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	x.open("User")
	u.write(x)
	x.close("User")
	return nil
}

func (q *request) listUsers(x *xmlWriter) error {
	var found []*User
	for _, u := range q.cloud.users {
		if u.account == q.caller.account && strings.HasPrefix(u.path, q.form.Get("PathPrefix")) {
			found = append(found, u)
		}
	}
	slices.SortFunc(found, func(a, b *User) int { return strings.Compare(a.Name, b.Name) })
	return writeList(q, x, "Users", found, func(u *User) { u.write(x) })
}

func (q *request) deleteUser(*xmlWriter) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	if len(u.accessKeys()) > 0 {
		return errDeleteConflict("Cannot delete entity, must delete access keys first.")
	}
	if err := u.bare(); err != nil {
		return err
	}
	delete(q.cloud.users, u.ARN)
	q.cloud.renamePrincipal(u.ARN, u.id)
	return nil
}

// accessKeys are the ids of the user's keys. The caller holds Cloud.mu.
func (u *User) accessKeys() []string {
	var ids []string
	for id, cred := range u.account.cloud.credentials {
		if cred.user == u {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (q *request) createAccessKey(x *xmlWriter) error {
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

func (q *request) writeAccessKey(x *xmlWriter, u *User, id string) {
	x.element("UserName", u.Name)
	x.element("AccessKeyId", id)
	x.element("Status", "Active")
	x.iamTime("CreateDate", q.cloud.credentials[id].created)
}

func (q *request) listAccessKeys(x *xmlWriter) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	return writeList(q, x, "AccessKeyMetadata", u.accessKeys(), func(id string) { q.writeAccessKey(x, u, id) })
}

func (q *request) deleteAccessKey(*xmlWriter) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	id := q.form.Get("AccessKeyId")
	if cred := q.cloud.credentials[id]; cred == nil || cred.user != u {
		return errNoSuchEntity("The Access Key with id %s cannot be found.", id)
	}
	delete(q.cloud.credentials, id)
	return nil
}
