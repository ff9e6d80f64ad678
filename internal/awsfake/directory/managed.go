package directory

import (
	"slices"
	"time"

	"syncd/internal/iam"
)

// ManagedPolicy is a managed policy, which can be attached to users and roles. Guarded by the
// directory.
type ManagedPolicy struct {
	Account         *Account // nil: AWS managed
	Name, ARN, ID   string
	Path            string
	Description     string
	Created         time.Time
	Versions        []PolicyVersion // newest last
	Current, Issued int             // version numbers
}

// PolicyVersion is one version of a managed policy.
type PolicyVersion struct {
	Number   int
	Document *iam.Document
	Created  time.Time
}

// managedByAWS returns the AWS managed policies that exist in every account of the fake.
func managedByAWS() map[string]*ManagedPolicy {
	m := &ManagedPolicy{
		Name: "AdministratorAccess", ARN: "arn:aws:iam::aws:policy/AdministratorAccess", ID: "ANPAIWMBCKSKIEE64ZLYK", Path: "/",
		Created: time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC), Current: 1, Issued: 1,
	}
	m.Versions = []PolicyVersion{{1, AllowEverything(), m.Created}}
	return map[string]*ManagedPolicy{m.ARN: m}
}

// Document returns the default version.
func (m *ManagedPolicy) Document() *iam.Document { return m.Versions[m.find(m.Current)].Document }

func (m *ManagedPolicy) find(number int) int {
	return slices.IndexFunc(m.Versions, func(v PolicyVersion) bool { return v.Number == number })
}

// AllowEverything returns the policy of an administrator.
func AllowEverything() *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{
		Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"},
	}}}
}
