package awsfake

import (
	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/fault"
	"syncd/internal/awsfake/kms"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/store"
)

// What callers name of the cloud.
type (
	// Options are the settings of a [Cloud].
	Options = core.Options
	// Endpoint is a gateway VPC endpoint of S3.
	Endpoint = core.Endpoint
	// Requests are counts by the name of their operation.
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

// What callers name of S3.
type (
	// Bucket is one S3 bucket.
	Bucket = store.Bucket
	// BucketOptions are the settings of a bucket.
	BucketOptions = store.BucketOptions
	// AccessPoint is another way into a bucket.
	AccessPoint = store.AccessPoint
	// Rates are how many requests a second a bucket serves.
	Rates = store.Rates
	// PutOptions are the properties of an object put by the owner's hand.
	PutOptions = store.PutOptions
	// ObjectInfo is what the owner's hand sees of an object.
	ObjectInfo = store.ObjectInfo
	// Lock keeps a version of an object from being deleted.
	Lock = store.Lock
	// Body is the content of an object on its way into a bucket.
	Body = content.Body
)

// The modes of retention.
const (
	Governance = store.Governance
	Compliance = store.Compliance
)

// BytesBody is a body of real bytes. The slice must not be changed afterwards.
func BytesBody(data []byte) Body { return content.BytesBody(data) }

// SyntheticBody is a body of size bytes that are generated when they are read, see
// [content.SyntheticBody].
func SyntheticBody(size int64, seed uint64) Body { return content.SyntheticBody(size, seed) }

type (
	// Fault is a misbehaviour hung on the requests that match it.
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

// Lies returns the kinds of fault that are answers which are not true, or not those of the service.
func Lies() []FaultKind { return fault.Lies() }
