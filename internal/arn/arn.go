// Package arn parses and formats Amazon Resource Names (ARNs).
//
// The grammar is from "Identify AWS resources with Amazon Resource Names (ARNs)" (IAM User Guide):
// arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, where the region or the account may be empty. The
// form of a resource depends on the service. Roles follow "IAM identifiers" (IAM User Guide), keys
// "Key identifiers" (AWS KMS Developer Guide), and access points "Access points for general purpose
// buckets naming rules" (Amazon S3 User Guide).
//
// [Parse], [ParseRole], [ParseKey] and [ParseAccessPoint] return only valid ARNs. Their errors are
// [hint.Error]s that quote the text and say what to use instead. [Split], and the functions that
// return one part of an ARN, accept any text in the form of an ARN, as it occurs in policies.
// [Root], [Role], [Session], [Bucket], [Point], [Object] and [Key] format ARNs without checking
// them. This package does not check that a resource exists; package iam matches the ARN patterns of
// policies.
package arn

import (
	"strconv"
	"strings"

	"syncd/internal/ascii"
	"syncd/internal/awsname"
	"syncd/internal/hint"
)

// ARN is a parsed Amazon Resource Name.
type ARN struct{ Partition, Service, Region, Account, Resource string }

const prefix = "arn:"

// Is reports whether text begins like an ARN.
func Is(text string) bool { return strings.HasPrefix(text, prefix) }

// Split splits text in the form of an ARN; ok is false if it has too few parts. It does not check
// the parts.
func Split(text string) (a ARN, ok bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	// Without a slice of parts, because policies are evaluated millions of times.
	for _, part := range []*string{&a.Partition, &a.Service, &a.Region, &a.Account} {
		if ok {
			*part, rest, ok = strings.Cut(rest, ":")
		}
	}
	if !ok {
		return ARN{}, false
	}
	a.Resource = rest
	return a, true
}

// Parse parses an ARN. The partition must be aws or begin with aws-.
func Parse(text string) (ARN, error) {
	a, ok := Split(text)
	if !ok || a.Partition != "aws" && !strings.HasPrefix(a.Partition, "aws-") || !ascii.Word(a.Partition, "-") {
		return ARN{}, refuse(text, "is not an ARN", "use arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")
	}
	return a, nil
}

// Account returns the account in an ARN of any partition, or "" if it has none.
func Account(text string) string {
	a, _ := Split(text)
	return a.Account
}

// Kind returns the part of an ARN's resource before the first slash, such as role or key, or "" if
// there is no slash.
func Kind(text string) string {
	a, _ := Split(text)
	kind, _, ok := strings.Cut(a.Resource, "/")
	if !ok {
		return ""
	}
	return kind
}

// Name returns the part of an ARN after its last slash or colon. For a role, this part is the name
// without the path.
func Name(text string) string { return text[strings.LastIndexAny(text, "/:")+1:] }

// refuse returns an error that quotes text.
func refuse(text, problem, instead string) error {
	return hint.New(strconv.Quote(text)+" "+problem, instead)
}

// String formats the ARN.
func (a ARN) String() string {
	return prefix + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// hasAccount reports whether the ARN names an account.
func (a ARN) hasAccount() bool { return awsname.IsAccount(a.Account) }
