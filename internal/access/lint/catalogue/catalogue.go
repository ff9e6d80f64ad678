// Package catalogue lists the names that policies can use: the actions and condition keys of the
// services that syncd uses, and the prefixes of all services.
//
// It ignores the case of names. For an unknown name it suggests a name that exists. If the unknown
// name is an API operation, the suggestion is the permission that the operation requires; otherwise
// it is the name with the smallest edit distance.
//
// The actions and keys come from package iam. The file services.txt lists the prefixes of all
// services, and the prefixes of the services that support resource control policies. Packages
// element and condition check whether a name is allowed where it is used.
package catalogue

import (
	"slices"
	"strings"

	"syncd/internal/hint"
	"syncd/internal/iam"
)

// Catalogue contains the names that exist, and suggests corrections for names that do not.
type Catalogue struct {
	*iam.Known
	Services   []string // the prefixes of all services
	Controlled []string // prefixes of the services that support resource control policies
}

// Read reads the catalogue.
func Read() *Catalogue {
	return &Catalogue{iam.ReadKnown(), services("all"), services("resource control")}
}

// MeantAction returns the likely intended action for an unknown name, or "" if no action is
// similar. For an API operation whose permission has a different name, it returns that permission.
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

// MeantKey returns the likely intended condition key for an unknown name, or "" if no key is
// similar.
func (c *Catalogue) MeantKey(name string) string {
	var names []string
	for _, k := range c.Keys() {
		names = append(names, k.Name)
	}
	return Nearest(name, names)
}

// operationPermission returns the permission that an API operation requires, according to "Required
// permissions for Amazon S3 API operations". The parameter lower is the operation's name in lower
// case. operationPermission returns "" for an unknown operation, and for an operation whose
// permission has the same name.
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

// morePermissions is the part of operationPermission for operations on bucket settings and for
// operations of services other than S3.
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

// Nearest returns the name that is most similar to name. If several names are equally similar, it
// returns the first of them in alphabetical order. It returns "" if the edit distance to each of
// them is more than a quarter of the length of name.
func Nearest(name string, names []string) string {
	return hint.NearestWithin(name, slices.Sorted(slices.Values(names)), len(name)/4)
}
