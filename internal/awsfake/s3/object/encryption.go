package object

import (
	"net/http"
	"strings"

	"syncd/internal/arn"
	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// readEncryption returns the encryption that the request's headers ask for, or the bucket's
// default.
func readEncryption(q *call.Request, b *store.Bucket) (store.EncryptionRule, error) {
	h := q.HTTP.Header
	id, rule := h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"), b.EncryptionRule()
	switch h.Get("X-Amz-Server-Side-Encryption") {
	case "":
		if id != "" {
			return rule, wire.ErrInvalidArgument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
	case "AES256":
		if id != "" {
			return rule, wire.ErrInvalidArgument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
		return store.EncryptionRule{}, nil
	case "aws:kms", store.AlgorithmDual:
		rule.Dual = h.Get("X-Amz-Server-Side-Encryption") == store.AlgorithmDual
		if id == "" {
			rule.Key = q.Store.Keys.ManagedKey(q.Caller.Account, b.Region)
		} else if rule.Key = q.Store.Keys.FindKey(id, b.Region, q.Caller.Account); rule.Key == nil {
			return rule, noSuchKey(q, id)
		}
	default:
		return rule, wire.ErrInvalidArgument("The encryption method specified is not supported")
	}
	if v := h.Get("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"); v != "" {
		rule.BucketKey = strings.EqualFold(v, "true")
	}
	return rule, nil
}

// noSuchKey returns S3's error for a key that KMS does not find in the bucket's Region. For a key
// of another account, KMS returns only an access denied error.
func noSuchKey(q *call.Request, id string) error {
	if arn.Is(id) && arn.Account(id) != q.Caller.Account.ID() {
		return wire.Refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: kms:GenerateDataKey on this resource because "+
			"the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
			q.Caller.Caller.ARN)
	}
	return wire.Refuse(http.StatusBadRequest, "KMS.NotFoundException", "Invalid keyId '%s'", id)
}

// refuseSSEC rejects reads of objects with customer-provided keys. Without the key's headers it
// answers as S3 does; with them it answers 501, because the fake does not have the key.
func refuseSSEC(q *call.Request, o *store.Object) error {
	if !o.Crypt.Customer {
		return nil
	}
	for name := range q.HTTP.Header {
		if lower := strings.ToLower(name); strings.Contains(lower, "server-side-encryption-customer-") {
			return wire.ErrNotImplemented(lower)
		}
	}
	return wire.ErrInvalidRequest("The object was stored using a form of Server Side Encryption. " +
		"The correct parameters must be provided to retrieve the object.")
}
