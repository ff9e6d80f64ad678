// Package arn reads and writes Amazon Resource Names, the names of what AWS keeps: roles, keys,
// access points and all else.
//
// The grammar is that of "Identify AWS resources with Amazon Resource Names (ARNs)" (IAM User
// Guide): arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, where the region or the account is empty
// for what has none. What a resource looks like is each service's own: roles are those of "IAM
// identifiers" (IAM User Guide), keys those of "Key identifiers" (AWS KMS Developer Guide), access
// points those of "Access points for general purpose buckets naming rules" (Amazon S3 User Guide).
//
// It promises that what Parse and the readers of one kind return is an ARN of AWS, of that kind,
// and that each of their errors is a [hint.Error] which quotes the text and says what it is
// instead. [Split], and what returns one part of a text, accept what is only said to be an ARN, for
// those who judge policies. [Root], [Role], [Session], [Bucket], [Point], [Object] and [Key] write
// the ARNs of one kind and check nothing. Whether the thing exists is left to AWS, and matching
// patterns of ARNs, which policies hold, to package iam.
package arn

import (
	"strconv"
	"strings"

	"syncd/internal/ascii"
	"syncd/internal/awsname"
	"syncd/internal/hint"
)

// ARN is an Amazon Resource Name, taken apart.
type ARN struct{ Partition, Service, Region, Account, Resource string }

const prefix = "arn:"

// Is reports whether a text was meant to be an ARN.
func Is(text string) bool { return strings.HasPrefix(text, prefix) }

// Split takes a text of the form of an ARN apart; ok is false of what has fewer parts. The parts
// may be anything.
func Split(text string) (a ARN, ok bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	for _, part := range []*string{&a.Partition, &a.Service, &a.Region, &a.Account} { // in place: policies are evaluated by the million
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

// Parse reads an ARN. Every partition is called aws or aws-SOMETHING.
func Parse(text string) (ARN, error) {
	a, ok := Split(text)
	if !ok || a.Partition != "aws" && !strings.HasPrefix(a.Partition, "aws-") || !ascii.Word(a.Partition, "-") {
		return ARN{}, refuse(text, "is not an ARN", "use arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")
	}
	return a, nil
}

// Account returns the account in an ARN, whatever its partition; "" where there is none.
func Account(text string) string {
	a, _ := Split(text)
	return a.Account
}

// Kind returns the word before the first slash of an ARN's resource, such as role or key; "" where
// there is no slash.
func Kind(text string) string {
	a, _ := Split(text)
	kind, _, ok := strings.Cut(a.Resource, "/")
	if !ok {
		return ""
	}
	return kind
}

// Name returns the last part of an ARN, after its last slash or colon. Of a role it is the name
// without the path.
func Name(text string) string { return text[strings.LastIndexAny(text, "/:")+1:] }

// refuse is the error about a text.
func refuse(text, problem, instead string) error {
	return hint.New(strconv.Quote(text)+" "+problem, instead)
}

// String writes the ARN.
func (a ARN) String() string {
	return prefix + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// hasAccount reports whether the ARN names an account.
func (a ARN) hasAccount() bool { return awsname.IsAccount(a.Account) }
