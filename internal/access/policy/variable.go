package policy

import "regexp"

// externalIDMark is the prefix of an ExternalId mark, which ends with the name of a role.
// [Terraform] and [CloudFormation] replace the mark with a variable for the ExternalId of that
// role.
const externalIDMark = "external-id-of:"

// ExternalIDVariable is an Options.ExternalID function for [Terraform] and [CloudFormation], which
// replace each ExternalId with a variable, so that their output does not contain it.
func ExternalIDVariable(role string) (string, error) { return externalIDMark + role, nil }

// markedRoles returns the roles whose ExternalId marks occur in the text, sorted.
func markedRoles(text string) (roles []string) {
	for _, m := range regexp.MustCompile(`"`+externalIDMark+`([A-Za-z0-9_-]+)"`).FindAllStringSubmatch(text, -1) {
		roles = append(roles, m[1])
	}
	return distinct(roles)
}
