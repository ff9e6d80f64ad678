package identity

import (
	"net/http"
	"slices"
	"strings"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/wire"
)

// maxAccessKeys is the maximum number of access keys of a user.
const maxAccessKeys = 2

// userARN returns the ARN of the user that the request names, or of the caller if it names none.
func (q *request) userARN() string {
	if q.Form.Get("UserName") == "" && q.Caller.User != nil {
		return q.Caller.User.ARN
	}
	return q.entityARN("user", "UserName")
}

// user returns the user that the request names, or the user who signed the request if it names
// none. The directory's lock must be held.
func (q *request) user() (*directory.User, error) {
	if q.Form.Get("UserName") == "" && q.Caller.User != nil {
		return q.Caller.User, nil
	}
	name, err := q.entityName("UserName", 64)
	if err != nil {
		return nil, err
	}
	u := q.Cloud.Directory.UserNamed(q.Caller.Account, name)
	if u == nil || u.Name != name {
		return nil, errNoSuchEntity("The user with name %s cannot be found.", name)
	}
	return u, nil
}

func (q *request) createUser(x *wire.XML) error {
	name, err := q.entityName("UserName", 64)
	if err != nil {
		return err
	}
	path, err := q.entityPath()
	if err != nil {
		return err
	}
	if q.Cloud.Directory.UserNamed(q.Caller.Account, name) != nil {
		return wire.Refuse(http.StatusConflict, "EntityAlreadyExists", "User with name %s already exists.", name)
	}
	u := q.Cloud.Directory.NewUser(q.Caller.Account, name, path)
	q.Cloud.Directory.Users[u.ARN] = u
	x.Open("User")
	writeUser(u, x)
	x.Close("User")
	return nil
}

func writeUser(u *directory.User, x *wire.XML) {
	x.Element("Path", u.Path)
	x.Element("UserName", u.Name)
	x.Element("UserId", u.ID)
	x.Element("Arn", u.ARN)
	x.Instant("CreateDate", u.Created)
	writeBoundary(x, &u.Identity)
}

func (q *request) getUser(x *wire.XML) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	x.Open("User")
	writeUser(u, x)
	x.Close("User")
	return nil
}

func (q *request) listUsers(x *wire.XML) error {
	var found []*directory.User
	for _, u := range q.Cloud.Directory.Users {
		if u.Account == q.Caller.Account && strings.HasPrefix(u.Path, q.Form.Get("PathPrefix")) {
			found = append(found, u)
		}
	}
	slices.SortFunc(found, func(a, b *directory.User) int { return strings.Compare(a.Name, b.Name) })
	return writeList(q, x, "Users", found, func(u *directory.User) { writeUser(u, x) })
}

func (q *request) deleteUser(*wire.XML) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	if len(u.AccessKeys()) > 0 {
		return errDeleteConflict("Cannot delete entity, must delete access keys first.")
	}
	if err := bare(&u.Identity); err != nil {
		return err
	}
	delete(q.Cloud.Directory.Users, u.ARN)
	q.Cloud.Directory.RenamePrincipal(u.ARN, u.ID)
	return nil
}

func (q *request) createAccessKey(x *wire.XML) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	if len(u.AccessKeys()) >= maxAccessKeys {
		return errQuota("Cannot exceed quota for AccessKeysPerUser: %d", maxAccessKeys)
	}
	id, secret := u.AddAccessKey()
	x.Open("AccessKey")
	q.writeAccessKey(x, u, id)
	x.Element("SecretAccessKey", secret)
	x.Close("AccessKey")
	return nil
}

func (q *request) writeAccessKey(x *wire.XML, u *directory.User, id string) {
	x.Element("UserName", u.Name)
	x.Element("AccessKeyId", id)
	x.Element("Status", "Active")
	x.Instant("CreateDate", q.Cloud.Directory.Credentials[id].Created)
}

func (q *request) listAccessKeys(x *wire.XML) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	return writeList(q, x, "AccessKeyMetadata", u.AccessKeys(), func(id string) { q.writeAccessKey(x, u, id) })
}

func (q *request) deleteAccessKey(*wire.XML) error {
	u, err := q.user()
	if err != nil {
		return err
	}
	id := q.Form.Get("AccessKeyId")
	if cred := q.Cloud.Directory.Credentials[id]; cred == nil || cred.User != u {
		return errNoSuchEntity("The Access Key with id %s cannot be found.", id)
	}
	delete(q.Cloud.Directory.Credentials, id)
	return nil
}
