package awsfake

import (
	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/fault"
	"syncd/internal/awsfake/kms"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/store"
)

// Types of the subpackages, re-exported for callers of this package.
type (
	// Options are the settings of a [Cloud].
	Options = core.Options
	// Endpoint is a gateway VPC endpoint of S3.
	Endpoint = core.Endpoint
	// Requests are request counts by operation name.
	Requests = core.Requests
	// User is an IAM user.
	User = directory.User
	// Role is an IAM role.
	Role = directory.Role
	// RoleOptions are the settings of a role.
	RoleOptions = directory.RoleOptions
	// Key is a KMS key.
	Key = kms.Key
)

// Types of the S3 subpackages, re-exported for callers of this package.
type (
	// Bucket is one S3 bucket.
	Bucket = store.Bucket
	// BucketOptions are the settings of a bucket.
	BucketOptions = store.BucketOptions
	// AccessPoint is an S3 access point.
	AccessPoint = store.AccessPoint
	// Rates limit how many requests a second a bucket serves.
	Rates = store.Rates
	// PutOptions are the properties of an object that the Go API puts into a bucket.
	PutOptions = store.PutOptions
	// ObjectInfo describes an object to the Go API.
	ObjectInfo = store.ObjectInfo
	// Lock prevents a version of an object from being deleted.
	Lock = store.Lock
	// Body is the content of an object to put into a bucket.
	Body = content.Body
)

// The retention modes of object lock.
const (
	Governance = store.Governance
	Compliance = store.Compliance
)

// BytesBody returns a body that holds data. The slice must not be changed afterwards.
func BytesBody(data []byte) Body { return content.BytesBody(data) }

// SyntheticBody returns a body of size bytes that are generated while they are read. See
// [content.SyntheticBody].
func SyntheticBody(size int64, seed uint64) Body { return content.SyntheticBody(size, seed) }

type (
	// Fault is a misbehaviour that applies to the requests it matches.
	Fault = fault.Fault
	// FaultKind is what a fault does to a request.
	FaultKind = fault.Kind
)

// The kinds of fault, as package fault describes them.
const (
	None               = fault.None
	Throttle           = fault.Throttle
	ThrottleKMS        = fault.ThrottleKMS
	InternalError      = fault.InternalError
	Unavailable        = fault.Unavailable
	ErrorIn200         = fault.ErrorIn200
	AccessDenied       = fault.AccessDenied
	ExpiredToken       = fault.ExpiredToken
	BadSignature       = fault.BadSignature
	PreconditionFailed = fault.PreconditionFailed
	Conflict           = fault.Conflict
	Reset              = fault.Reset
	Timeout            = fault.Timeout
	CutBody            = fault.CutBody
	LoseAnswer         = fault.LoseAnswer
	UnknownLength      = fault.UnknownLength
	IgnoreConditions   = fault.IgnoreConditions
	RefuseConditions   = fault.RefuseConditions
	NotImplemented     = fault.NotImplemented
	OtherETag          = fault.OtherETag
)

// Lies returns the kinds of fault whose answers are false or do not come from the service.
func Lies() []FaultKind { return fault.Lies() }
