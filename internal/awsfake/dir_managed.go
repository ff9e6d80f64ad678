package awsfake

import (
	"slices"
	"time"

	"syncd/internal/iam"
)

// managed is a policy that stands by itself and is attached to users and roles. Guarded by the directory.
type managed struct {
	account         *dirAccount // nil: AWS's own
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

// allowEverything is the policy of an administrator.
func allowEverything() *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{
		Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"},
	}}}
}
