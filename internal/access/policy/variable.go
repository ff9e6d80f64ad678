package policy

import "regexp"

// externalIDMark stands in a document where a format puts a variable for the ExternalId of the role
// behind it.
const externalIDMark = "external-id-of:"

// ExternalIDVariable is an Options.ExternalID for [Terraform] and [CloudFormation]: they make a
// variable of each ExternalId, so that none stands in what they write.
func ExternalIDVariable(role string) (string, error) { return externalIDMark + role, nil }

// markedRoles are the roles whose ExternalIds a text has marks for, sorted.
func markedRoles(text string) (roles []string) {
	for _, m := range regexp.MustCompile(`"`+externalIDMark+`([A-Za-z0-9_-]+)"`).FindAllStringSubmatch(text, -1) {
		roles = append(roles, m[1])
	}
	return distinct(roles)
}
