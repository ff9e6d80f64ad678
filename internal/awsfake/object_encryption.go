package awsfake

import (
	"net/http"
	"strings"
)

// readEncryption is the rule that the request's headers ask for, or the bucket's default.
func readEncryption(q *s3Request, b *Bucket) (encryptionRule, error) {
	h := q.http.Header
	id, rule := h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"), b.encryptionRule()
	switch h.Get("X-Amz-Server-Side-Encryption") {
	case "":
		if id != "" {
			return rule, errInvalidArgument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
	case "AES256":
		if id != "" {
			return rule, errInvalidArgument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
		return encryptionRule{}, nil
	case "aws:kms", algorithmDual:
		rule.dual = h.Get("X-Amz-Server-Side-Encryption") == algorithmDual
		if id == "" {
			rule.key = q.s3.keys.managedKey(q.caller.account, b.region)
		} else if rule.key = q.s3.keys.findKey(id, b.region, q.caller.account); rule.key == nil {
			return rule, noSuchKey(q, id)
		}
	default:
		return rule, errInvalidArgument("The encryption method specified is not supported")
	}
	if v := h.Get("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"); v != "" {
		rule.bucketKey = strings.EqualFold(v, "true")
	}
	return rule, nil
}

// noSuchKey is S3's word for a key that KMS does not find in the bucket's Region. Of another
// account's key KMS says no more than that it is of no use.
func noSuchKey(q *s3Request, id string) error {
	if strings.HasPrefix(id, "arn:") && !strings.Contains(id, ":"+q.caller.account.ID()+":") {
		return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: kms:GenerateDataKey on this resource because "+
			"the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
			q.caller.caller.ARN)
	}
	return refuse(http.StatusBadRequest, "KMS.NotFoundException", "Invalid keyId '%s'", id)
}

// refuseSSEC refuses to read what lies under a key of the customer: without the key's headers as S3
// does, with them because the fake was never told the key.
func refuseSSEC(q *s3Request, o *object) error {
	if !o.crypt.customer {
		return nil
	}
	for name := range q.http.Header {
		if lower := strings.ToLower(name); strings.Contains(lower, "server-side-encryption-customer-") {
			return errNotImplemented(lower)
		}
	}
	return errInvalidRequest("The object was stored using a form of Server Side Encryption. " +
		"The correct parameters must be provided to retrieve the object.")
}
