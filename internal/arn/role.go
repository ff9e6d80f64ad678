package arn

import (
	"strings"

	"syncd/internal/ascii"
)

// ParseRole reads the ARN of an IAM role, with or without a path.
func ParseRole(text string) (ARN, error) {
	a, err := Parse(text)
	path, isRole := strings.CutPrefix(a.Resource, "role/")
	name := path[strings.LastIndex(path, "/")+1:]
	if err != nil || !isRole || a.Service != "iam" || a.Region != "" || !a.hasAccount() ||
		len(name) > 64 || !ascii.Word(name, "_+=,.@-") || strings.ContainsAny(path, " *?") {
		return ARN{}, refuse(text, "is not the ARN of a role", "use arn:aws:iam::ACCOUNT:role/NAME")
	}
	return a, nil
}
