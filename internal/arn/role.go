package arn

import (
	"strings"

	"syncd/internal/ascii"
	"syncd/internal/awsname"
)

// Root returns the ARN that policies use for an account as a principal:
// arn:PARTITION:iam::ACCOUNT:root.
func Root(partition, account string) string {
	return ARN{Partition: partition, Service: "iam", Account: account, Resource: "root"}.String()
}

// IsRoot reports whether a is the ARN of an account as a principal.
func (a ARN) IsRoot() bool { return a.Service == "iam" && a.Resource == "root" }

// Role returns the ARN of a role without a path.
func Role(partition, account, name string) string {
	return ARN{Partition: partition, Service: "iam", Account: account, Resource: "role/" + name}.String()
}

// Session returns the ARN of a role session, given the role's ARN. It returns "" if role is not the
// ARN of a role. The session's ARN does not contain the role's path (AWS STS API Reference,
// AssumedRoleUser).
func Session(role, name string) string {
	a, _ := Split(role)
	if Kind(role) != "role" || Name(role) == "" {
		return ""
	}
	return ARN{Partition: a.Partition, Service: "sts", Account: a.Account, Resource: "assumed-role/" + Name(role) + "/" + name}.String()
}

// RoleOf returns the ARN of a session's role; ok is false if session is not the ARN of a role
// session. The result lacks the role's path, which the session's ARN does not contain.
func RoleOf(session string) (role string, ok bool) {
	a, _ := Split(session)
	rest, ok := strings.CutPrefix(a.Resource, "assumed-role/")
	if !ok || a.Service != "sts" {
		return "", false
	}
	name, _, _ := strings.Cut(rest, "/")
	return Role(a.Partition, a.Account, name), true
}

// ParseRole parses the ARN of an IAM role, with or without a path.
func ParseRole(text string) (ARN, error) {
	a, err := Parse(text)
	path, isRole := strings.CutPrefix(a.Resource, "role/")
	name := path[strings.LastIndex(path, "/")+1:]
	if err != nil || !isRole || a.Service != "iam" || a.Region != "" || !a.hasAccount() ||
		len(name) > 64 || !ascii.Word(name, awsname.IdentityCharacters) || strings.ContainsAny(path, " *?") {
		return ARN{}, refuse(text, "is not the ARN of a role", "use arn:aws:iam::ACCOUNT:role/NAME")
	}
	return a, nil
}
