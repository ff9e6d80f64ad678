// Package catalogue is the names that policies may use: the actions and condition keys of the
// services that syncd talks to, and the prefixes of all services.
//
// It promises to know a name without regard to case, and to suggest for a wrong one the name that
// was likely to be meant: by the table of operations whose permissions have other names, otherwise
// by the least distance. It suggests nothing that does not exist.
//
// It leaves to others whether a name belongs where it stands. The actions and keys are those of
// package iam; services.txt is the list of prefixes, with those that resource control policies
// apply to.
package catalogue

import (
	"slices"
	"strings"

	"syncd/internal/hint"
	"syncd/internal/iam"
)

// Catalogue is the names that exist, and suggests some for those that do not.
type Catalogue struct {
	*iam.Known
	Services   []string // the prefixes of all services
	Controlled []string // of those that resource control policies apply to
}

// Read reads the names that exist.
func Read() *Catalogue {
	return &Catalogue{iam.ReadKnown(), services("all"), services("resource control")}
}

// MeantAction is the action that a wrong name was likely to mean; "" when none is like it. The
// names of API operations that are no actions are known: their permissions have other names.
func (c *Catalogue) MeantAction(name string) string {
	if meant := operationPermission(strings.ToLower(name)); meant != "" {
		return meant
	}
	var names []string
	for _, a := range c.Actions() {
		names = append(names, a.Name)
	}
	return Nearest(name, names)
}

// MeantKey is the condition key that a wrong name was likely to mean; "" when none is like it.
func (c *Catalogue) MeantKey(name string) string {
	var names []string
	for _, k := range c.Keys() {
		names = append(names, k.Name)
	}
	return Nearest(name, names)
}

// operationPermission is the permission behind the name of an operation, as "Required permissions
// for Amazon S3 API operations" has it; "" for what is none.
func operationPermission(lower string) string {
	switch lower {
	case "s3:headobject", "s3:getobjectmetadata", "s3:readobject", "s3:selectobjectcontent":
		return "s3:GetObject"
	case "s3:headbucket", "s3:listobjects", "s3:listobjectsv2", "s3:listobject":
		return "s3:ListBucket"
	case "s3:listobjectversions":
		return "s3:ListBucketVersions"
	case "s3:copyobject", "s3:uploadpart", "s3:uploadpartcopy", "s3:createmultipartupload", "s3:initiatemultipartupload",
		"s3:completemultipartupload", "s3:postobject":
		return "s3:PutObject"
	case "s3:listparts":
		return "s3:ListMultipartUploadParts"
	case "s3:listmultipartuploads":
		return "s3:ListBucketMultipartUploads"
	case "s3:deleteobjects":
		return "s3:DeleteObject"
	case "s3:listbuckets":
		return "s3:ListAllMyBuckets"
	}
	return morePermissions(lower)
}

// morePermissions are the operations on a bucket's settings, and those of the other services.
func morePermissions(lower string) string {
	switch lower {
	case "s3:getbucketencryption":
		return "s3:GetEncryptionConfiguration"
	case "s3:putbucketencryption", "s3:deletebucketencryption":
		return "s3:PutEncryptionConfiguration"
	case "s3:getbucketlifecycle", "s3:getbucketlifecycleconfiguration":
		return "s3:GetLifecycleConfiguration"
	case "s3:putbucketlifecycle", "s3:putbucketlifecycleconfiguration", "s3:deletebucketlifecycle":
		return "s3:PutLifecycleConfiguration"
	case "s3:getbucketreplication":
		return "s3:GetReplicationConfiguration"
	case "s3:getpublicaccessblock":
		return "s3:GetBucketPublicAccessBlock"
	case "kms:reencrypt":
		return "kms:ReEncrypt*"
	case "sqs:sendmessagebatch":
		return "sqs:SendMessage"
	case "sqs:deletemessagebatch":
		return "sqs:DeleteMessage"
	case "sqs:changemessagevisibilitybatch":
		return "sqs:ChangeMessageVisibility"
	}
	return ""
}

// Nearest is the name most like the given one, the first of several by the alphabet, or "" when
// each differs in more than a quarter.
func Nearest(name string, names []string) string {
	return hint.NearestWithin(name, slices.Sorted(slices.Values(names)), len(name)/4)
}
