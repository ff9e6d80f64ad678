package arn

import (
	"strings"

	"syncd/internal/ascii"
	"syncd/internal/awsname"
)

// Root is the ARN of an account as a whole, which policies name as a principal.
func Root(partition, account string) string {
	return ARN{Partition: partition, Service: "iam", Account: account, Resource: "root"}.String()
}

// IsRoot reports whether the ARN is that of an account as a whole.
func (a ARN) IsRoot() bool { return a.Service == "iam" && a.Resource == "root" }

// Role is the ARN of a role without a path.
func Role(partition, account, name string) string {
	return ARN{Partition: partition, Service: "iam", Account: account, Resource: "role/" + name}.String()
}

// Session is the ARN of a session of a role, given the role's ARN; "" of what is no role. It lacks
// the role's path (AWS STS API Reference, AssumedRoleUser).
func Session(role, name string) string {
	a, _ := Split(role)
	if Kind(role) != "role" || Name(role) == "" {
		return ""
	}
	return ARN{Partition: a.Partition, Service: "sts", Account: a.Account, Resource: "assumed-role/" + Name(role) + "/" + name}.String()
}

// RoleOf returns the ARN of the role that a session is of, given the session's ARN; ok is false of
// what is no session. The path of the role is not known.
func RoleOf(session string) (role string, ok bool) {
	a, _ := Split(session)
	rest, ok := strings.CutPrefix(a.Resource, "assumed-role/")
	if !ok || a.Service != "sts" {
		return "", false
	}
	name, _, _ := strings.Cut(rest, "/")
	return Role(a.Partition, a.Account, name), true
}

// ParseRole reads the ARN of an IAM role, with or without a path.
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
