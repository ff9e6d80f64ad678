package awsname

import "syncd/internal/ascii"

// IdentityCharacters are those that the names of users, roles and sessions may have besides letters
// and digits ("IAM and AWS STS quotas, name requirements, and character limits", IAM User Guide).
const IdentityCharacters = "_+=,.@-"

// IsAccount reports whether a text has the form of an account's id: twelve digits, with the zeros
// in front ("View AWS account identifiers", AWS Account Management Reference Guide).
func IsAccount(text string) bool { return ascii.Digits(text, 12) }
