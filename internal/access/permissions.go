// Package access is the table of permissions: which action on which resource each feature of a
// mapping needs, and why.
//
// There is only one table, [Permissions], and all code that deals with permissions reads it.
// [Needs] applies the table to one mapping. A [View] of the mapping determines where each row
// applies. [Minimal] reduces grants to the fewest statements. [SessionPolicy] restricts a session
// to its mapping. The documents contain no grant that syncd does not use: if a feature is off, they
// lack the grants that only this feature uses. A test removes each grant in turn and checks that a
// step of syncd then fails.
//
// Other packages import this one to write the documents that accounts put in force (access/policy),
// to probe permissions with requests (access/doctor) and to check existing documents (access/lint).
// Package iam parses and evaluates policies.
//
// Terms: the reader is the role of a mapping's source, the writer is the role of its destination,
// and the keeper is the role of the state. One role may be all three. A source, destination or
// state without a role uses the ambient credentials. A need is one row of the table applied to one
// mapping. The owner's side is the accounts whose buckets are read; the consumer's side is all
// other accounts.
package access

import (
	"slices"
	"strings"

	"syncd/config"
)

// Actor is the principal of a mapping that sends a request.
type Actor string

// The actors.
const (
	Reader Actor = "reader" // the role of the source
	Writer Actor = "writer" // the role of the destination
	Keeper Actor = "keeper" // the role of the state
	Caller Actor = "caller" // the principal that assumes a role: the role named by via, or the ambient credentials
)

// Resource is a kind of resource that an action applies to.
type Resource string

// The kinds of resource. Objects are the objects under the configured prefix of the source, the
// destination or the state.
const (
	SourceBucket       Resource = "source bucket"
	SourceObjects      Resource = "source objects"
	SourceKey          Resource = "source key"
	UnderlyingBucket   Resource = "underlying bucket" // the bucket behind the access point that is the source
	UnderlyingObjects  Resource = "underlying objects"
	DestinationBucket  Resource = "destination bucket"
	DestinationObjects Resource = "destination objects"
	DestinationKey     Resource = "destination key"
	StateBucket        Resource = "state bucket"
	StateObjects       Resource = "state objects"
	StateKey           Resource = "state key"
	AssumedRole        Resource = "role"
)

func (r Resource) isBucket() bool { return strings.HasSuffix(string(r), " bucket") }

// IsKey reports whether the resource is a KMS key.
func (r Resource) IsKey() bool { return strings.HasSuffix(string(r), " key") }

// Feature is the syncd feature that uses a permission.
type Feature string

// The features.
const (
	FeatureList           Feature = "list"
	FeatureRead           Feature = "read"
	FeatureCopy           Feature = "copy"
	FeatureTags           Feature = "tags"
	FeatureObjectLock     Feature = "object lock"
	FeatureAnnotations    Feature = "annotations"
	FeatureWrite          Feature = "write"
	FeatureACL            Feature = "acl"
	FeatureMultipart      Feature = "multipart"
	FeatureResume         Feature = "resume"
	FeatureSweep          Feature = "sweep"
	FeatureAdopt          Feature = "adopt"
	FeatureReplace        Feature = "replace"
	FeatureDelete         Feature = "delete"
	FeatureVerify         Feature = "verify"
	FeatureState          Feature = "state"
	FeatureLease          Feature = "lease"
	FeatureAssume         Feature = "assume"
	FeatureTagSession     Feature = "tag session"
	FeatureSourceIdentity Feature = "source identity"
)

// Permission is one row of the table.
type Permission struct {
	Action  string
	On      Resource
	By      Actor
	Feature Feature
	// Only describes the mappings that need the permission, in terms of the configuration. It is
	// empty if all mappings need it.
	Only string
	// Why names the request that requires the permission.
	Why string
	// Source is the AWS document that states the requirement.
	Source string

	when func(Traits) bool
}

// Traits are the properties of a mapping that determine which rows it needs.
type Traits struct {
	Relay     bool // syncd downloads the content and uploads it
	Multipart bool // objects may be large enough to be written in parts
	tags      bool
	choose    bool // syncd copies only selected tags
	notes     bool // syncd copies annotations
	lock      bool
	ACL       string
	delete    bool
	inspect   bool // syncd inspects copies
	State     bool // the state is stored on S3
	StateKey  bool // the state is encrypted with a configured key
}

// The documents that the rows cite.
const (
	docActions     = "Amazon S3 User Guide, Required permissions for Amazon S3 API operations"
	docMultipart   = "Amazon S3 User Guide, Uploading and copying objects using multipart upload"
	docKMS         = "Amazon S3 User Guide, Using server-side encryption with AWS KMS keys"
	docConditional = "Amazon S3 User Guide, How to prevent object overwrites with conditional writes"
	docAnnotations = "Amazon S3 API Reference, CopyObject, ListObjectAnnotations, GetObjectAnnotation and PutObjectAnnotation"
	docHead        = "Amazon S3 API Reference, HeadObject"
	docRoles       = "IAM User Guide, Cross-account policy evaluation logic"
	docTags        = "IAM User Guide, Pass session tags in AWS STS"
	docIdentity    = "IAM User Guide, Monitor and control actions taken with assumed roles"
)

// Permissions returns the table, in the order in which a pass needs its rows. Rows with the same
// action and resource are separate reasons: the permission is granted if any of them applies.
func Permissions() []Permission {
	return slices.Concat(rolePermissions(), sourcePermissions(), writePermissions(), uploadPermissions(), keepingPermissions(), statePermissions())
}

func rolePermissions() []Permission {
	// The role, not the mapping, determines which of these three permissions a hop needs: see
	// hopNeeds.
	return []Permission{
		{Action: ActionAssume, On: AssumedRole, By: Caller, Feature: FeatureAssume, Source: docRoles, Why: "AssumeRole"},
		{
			Action: ActionTag, On: AssumedRole, By: Caller, Feature: FeatureTagSession, Source: docTags,
			Only: "roles with tags, or roles that are assumed through a role with transitive_tags", Why: "AssumeRole that passes or inherits session tags",
		},
		{
			Action: ActionIdentity, On: AssumedRole, By: Caller, Feature: FeatureSourceIdentity, Source: docIdentity,
			Only: "roles with source_identity, or roles that are assumed through such a role", Why: "AssumeRole that sets or inherits a source identity",
		},
	}
}

func sourcePermissions() []Permission {
	serverSide := func(t Traits) bool { return !t.Relay }
	tagging := func(t Traits) bool { return t.tags && (t.Relay || t.Multipart || t.choose || t.inspect) }
	noting := func(t Traits) bool { return t.notes && (t.Relay || t.Multipart || t.inspect) }
	locked := func(t Traits) bool { return t.lock }
	const notes = "copy.annotations: copy, if objects are relayed, copied in parts or inspected"
	return []Permission{
		{Action: "s3:ListBucket", On: SourceBucket, By: Reader, Feature: FeatureList, Source: docActions, Why: "ListObjectsV2"},
		{
			Action: "s3:GetObject", On: SourceObjects, By: Reader, Feature: FeatureRead, Source: docActions,
			Why: "GetObject in a relay; HeadObject of an object that is copied in parts, has changed during the copy, or is adopted",
		},
		{
			Action: "kms:Decrypt", On: SourceKey, By: Reader, Feature: FeatureRead, Source: docHead,
			Why: "GetObject, and HeadObject that requests the checksum",
		},
		{
			Action: "s3:GetObject", On: SourceObjects, By: Writer, Feature: FeatureCopy, Source: docActions, when: serverSide,
			Only: "server-side copies", Why: "CopyObject and UploadPartCopy, which read the source with the writer's credentials",
		},
		{
			Action: "kms:Decrypt", On: SourceKey, By: Writer, Feature: FeatureCopy, Source: docKMS, when: serverSide,
			Only: "server-side copies", Why: "CopyObject and UploadPartCopy",
		},
		{
			Action: "s3:GetObjectTagging", On: SourceObjects, By: Writer, Feature: FeatureTags, Source: docActions,
			when: func(t Traits) bool { return t.tags && !t.choose && !t.Relay },
			Only: "server-side copies with copy.tags: copy", Why: "CopyObject of an object that has tags",
		},
		{
			Action: "s3:GetObjectTagging", On: SourceObjects, By: Reader, Feature: FeatureTags, Source: docActions, when: tagging,
			Only: "copy.tags: {only: ...}; or copy.tags: copy, if objects are relayed, copied in parts or inspected",
			Why:  "GetObjectTagging, because an upload inherits no tags, and CopyObject copies all tags or none",
		},
		{
			Action: "s3:GetObjectAnnotation", On: SourceObjects, By: Writer, Feature: FeatureAnnotations, Source: docAnnotations,
			when: func(t Traits) bool { return t.notes && !t.Relay },
			Only: "server-side copies with copy.annotations: copy", Why: "CopyObject that copies annotations",
		},
		{
			Action: "s3:ListObjectAnnotations", On: SourceObjects, By: Reader, Feature: FeatureAnnotations, Source: docAnnotations, when: noting,
			Only: notes, Why: "ListObjectAnnotations, because an upload inherits no annotations",
		},
		{
			Action: "s3:GetObjectAnnotation", On: SourceObjects, By: Reader, Feature: FeatureAnnotations, Source: docAnnotations, when: noting,
			Only: notes, Why: "GetObjectAnnotation, because an upload inherits no annotations",
		},
		{
			Action: "s3:GetObjectRetention", On: SourceObjects, By: Reader, Feature: FeatureObjectLock, Source: docActions, when: locked,
			Only: "copy.object_lock: copy", Why: "HeadObject, which returns retention and event hold only with this permission",
		},
		{
			Action: "s3:GetObjectLegalHold", On: SourceObjects, By: Reader, Feature: FeatureObjectLock, Source: docActions, when: locked,
			Only: "copy.object_lock: copy", Why: "HeadObject, which returns the legal hold only with this permission",
		},
	}
}

// writePermissions returns the permissions for writing copies.
func writePermissions() []Permission {
	tags := func(t Traits) bool { return t.tags }
	lateTags := func(t Traits) bool { return t.tags && (t.Relay || t.Multipart || t.choose) }
	locked := func(t Traits) bool { return t.lock }
	return []Permission{
		{
			Action: "s3:PutObject", On: DestinationObjects, By: Writer, Feature: FeatureWrite, Source: docActions,
			Why: "CopyObject, PutObject, CreateMultipartUpload, UploadPart, UploadPartCopy and CompleteMultipartUpload",
		},
		{Action: "kms:GenerateDataKey", On: DestinationKey, By: Writer, Feature: FeatureWrite, Source: docKMS, Why: "every new object and upload"},
		{
			Action: "s3:PutObjectAcl", On: DestinationObjects, By: Writer, Feature: FeatureACL, Source: docActions,
			when: func(t Traits) bool { return t.ACL != "" },
			Only: "copy.acl: bucket-owner-full-control", Why: "a write that sends an ACL",
		},
		{
			Action: "s3:PutObjectTagging", On: DestinationObjects, By: Writer, Feature: FeatureTags, Source: docActions, when: tags,
			Only: "copy.tags: copy or {only: ...}", Why: "a write that sets tags",
		},
		{
			Action: "s3:PutObjectVersionTagging", On: DestinationObjects, By: Writer, Feature: FeatureTags, Source: docActions, when: lateTags,
			Only: "copy.tags: {only: ...}; or copy.tags: copy, if objects are relayed or copied in parts",
			Why:  "PutObjectTagging of the version just written, in a versioned bucket, if the tags are too long for a header",
		},
		{
			Action: "s3:PutObjectAnnotation", On: DestinationObjects, By: Writer, Feature: FeatureAnnotations, Source: docAnnotations,
			when: func(t Traits) bool { return t.notes },
			Only: "copy.annotations: copy", Why: "a copy with annotations; PutObjectAnnotation after a relay or a copy in parts",
		},
		{
			Action: "s3:PutObjectRetention", On: DestinationObjects, By: Writer, Feature: FeatureObjectLock, Source: docActions, when: locked,
			Only: "copy.object_lock: copy", Why: "a write that sets retention or an event hold",
		},
		{
			Action: "s3:PutObjectLegalHold", On: DestinationObjects, By: Writer, Feature: FeatureObjectLock, Source: docActions, when: locked,
			Only: "copy.object_lock: copy", Why: "a write that sets a legal hold",
		},
	}
}

// uploadPermissions returns the permissions for writing copies in parts.
func uploadPermissions() []Permission {
	multipart := func(t Traits) bool { return t.Multipart }
	const large = "objects large enough for multipart upload"
	return []Permission{
		{
			Action: "kms:Decrypt", On: DestinationKey, By: Writer, Feature: FeatureMultipart, Source: docMultipart, when: multipart,
			Only: large, Why: "UploadPart, UploadPartCopy, CompleteMultipartUpload and ListParts, which decrypt the data key of the upload",
		},
		{
			Action: "s3:ListMultipartUploadParts", On: DestinationObjects, By: Writer, Feature: FeatureResume, Source: docMultipart, when: multipart,
			Only: large, Why: "ListParts, to resume the upload of a process that was killed",
		},
		{
			Action: "s3:ListBucketMultipartUploads", On: DestinationBucket, By: Writer, Feature: FeatureSweep, Source: docMultipart, when: multipart,
			Only: large, Why: "ListMultipartUploads, to find abandoned uploads",
		},
		{
			Action: "s3:AbortMultipartUpload", On: DestinationObjects, By: Writer, Feature: FeatureSweep, Source: docMultipart, when: multipart,
			Only: large, Why: "AbortMultipartUpload of an upload that an earlier session started; a session may always abort its own uploads",
		},
	}
}

// keepingPermissions returns the permissions for handling existing copies.
func keepingPermissions() []Permission {
	inspectsLocks := func(t Traits) bool { return t.inspect && t.lock }
	inspectsNotes := func(t Traits) bool { return t.inspect && t.notes }
	const inspected = "verify.sample above 0 and "
	return []Permission{
		{
			Action: "s3:ListBucket", On: DestinationBucket, By: Writer, Feature: FeatureAdopt, Source: docActions,
			Why: "ListObjectsV2, to find existing objects that are not in the ledger",
		},
		{
			Action: "s3:GetObject", On: DestinationObjects, By: Writer, Feature: FeatureAdopt, Source: docActions,
			Why: "HeadObject of an existing object",
		},
		{
			Action: "s3:GetObject", On: DestinationObjects, By: Writer, Feature: FeatureReplace, Source: docConditional,
			Why: "writes with If-Match, in addition to s3:PutObject; without this permission, a changed copy is replaced unconditionally",
		},
		{
			Action: "kms:Decrypt", On: DestinationKey, By: Writer, Feature: FeatureAdopt, Source: docHead,
			Why: "HeadObject, which returns the checksum only to callers that may decrypt",
		},
		{
			Action: "s3:DeleteObject", On: DestinationObjects, By: Writer, Feature: FeatureDelete, Source: docActions,
			when: func(t Traits) bool { return t.delete }, Only: "delete.enabled: true", Why: "DeleteObjects and DeleteObject of copies whose source objects are gone",
		},
		{
			Action: "s3:GetObjectTagging", On: DestinationObjects, By: Writer, Feature: FeatureVerify, Source: docActions,
			when: func(t Traits) bool { return t.inspect && t.tags }, Only: inspected + "copy.tags not omit", Why: "GetObjectTagging of copies that are inspected",
		},
		{
			Action: "s3:GetObjectRetention", On: DestinationObjects, By: Writer, Feature: FeatureVerify, Source: docActions,
			when: inspectsLocks, Only: inspected + "copy.object_lock: copy", Why: "HeadObject of copies that are inspected, which otherwise hides retention",
		},
		{
			Action: "s3:GetObjectLegalHold", On: DestinationObjects, By: Writer, Feature: FeatureVerify, Source: docActions,
			when: inspectsLocks, Only: inspected + "copy.object_lock: copy", Why: "HeadObject of copies that are inspected, which otherwise hides a legal hold",
		},
		{
			Action: "s3:ListObjectAnnotations", On: DestinationObjects, By: Writer, Feature: FeatureVerify, Source: docAnnotations,
			when: inspectsNotes, Only: inspected + "copy.annotations: copy", Why: "ListObjectAnnotations of copies that are inspected",
		},
		{
			Action: "s3:GetObjectAnnotation", On: DestinationObjects, By: Writer, Feature: FeatureVerify, Source: docAnnotations,
			when: inspectsNotes, Only: inspected + "copy.annotations: copy", Why: "GetObjectAnnotation of copies that are inspected",
		},
	}
}

func statePermissions() []Permission {
	onS3 := func(t Traits) bool { return t.State }
	underKey := func(t Traits) bool { return t.State && t.StateKey }
	const only, keyed = "state: s3://...", "state: s3://... with checkpoint.kms_key"
	return []Permission{
		{
			Action: "s3:ListBucket", On: StateBucket, By: Keeper, Feature: FeatureState, Source: docActions, when: onS3, Only: only,
			Why: "ListObjectsV2, and GetObject of a record that may not exist: S3 answers \"not found\" instead of \"denied\" only to callers that may list the bucket",
		},
		{Action: "s3:GetObject", On: StateObjects, By: Keeper, Feature: FeatureState, Source: docActions, when: onS3, Only: only, Why: "reading records"},
		{Action: "s3:PutObject", On: StateObjects, By: Keeper, Feature: FeatureState, Source: docActions, when: onS3, Only: only, Why: "writing records"},
		{
			Action: "s3:DeleteObject", On: StateObjects, By: Keeper, Feature: FeatureState, Source: docActions, when: onS3, Only: only,
			Why: "DeleteObject of records that a newer generation has replaced",
		},
		{
			Action: "s3:GetObject", On: StateObjects, By: Keeper, Feature: FeatureLease, Source: docConditional, when: onS3, Only: only,
			Why: "PutObject with If-Match, in addition to s3:PutObject",
		},
		{Action: "kms:GenerateDataKey", On: StateKey, By: Keeper, Feature: FeatureState, Source: docKMS, when: underKey, Only: keyed, Why: "writing records"},
		{Action: "kms:Decrypt", On: StateKey, By: Keeper, Feature: FeatureState, Source: docKMS, when: underKey, Only: keyed, Why: "reading records, and writing large ones in parts"},
	}
}

// The actions that assuming a role may require.
const (
	ActionAssume   = "sts:AssumeRole"
	ActionTag      = "sts:TagSession"
	ActionIdentity = "sts:SetSourceIdentity"
)

// traitsOf returns the traits of a mapping.
func traitsOf(c *config.Config, m config.Mapping) Traits {
	_, isOnS3 := c.StatePlace()
	how := c.Transfer(m)
	return Traits{
		Relay: how.Relay, tags: !how.OmitTags, choose: how.ChoosesTags(), notes: how.Annotations, lock: how.ObjectLock,
		ACL: how.ACL, delete: m.Delete.Enabled, inspect: m.Verify.Sample > 0,
		State: isOnS3, StateKey: c.Checkpoint.KMSKey != "",
		Multipart: m.Filter.MaxSize == 0 || int64(m.Filter.MaxSize) > how.MaxWhole(),
	}
}
