package awsname

import "syncd/internal/ascii"

// IdentityCharacters are the characters that names of users, roles and sessions may contain in
// addition to letters and digits ("IAM and AWS STS quotas, name requirements, and character
// limits", IAM User Guide).
const IdentityCharacters = "_+=,.@-"

// IsAccount reports whether text has the form of an account id: exactly twelve digits, of which the
// first may be 0 ("View AWS account identifiers", AWS Account Management Reference Guide).
func IsAccount(text string) bool { return ascii.Digits(text, 12) }
