package awsname

import "syncd/internal/ascii"

// IsAccount reports whether a text has the form of an account's id: twelve digits, with the zeros in front ("View AWS account
// identifiers", AWS Account Management Reference Guide).
func IsAccount(text string) bool { return ascii.Digits(text, 12) }
