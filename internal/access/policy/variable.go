package policy

import "regexp"

// externalIDMark is the prefix of a placeholder that a format replaces with a variable for the
// ExternalId of the role named after it.
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
