package kms

import (
	"net/http"
	"slices"

	"syncd/internal/arn"
	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// request is a request to KMS.
type request struct {
	*core.Request
	service *Service
}

// input is the union of the parameters of all KMS operations that the fake implements.
type input struct {
	KeyID               string `json:"KeyId"`
	Policy, PolicyName  string
	Plaintext           []byte
	CiphertextBlob      []byte
	EncryptionContext   map[string]string
	KeySpec             string
	NumberOfBytes       int
	PendingWindowInDays int
	DryRun              bool
	DryRunModifiers     []string

	// Parameters of keys and aliases.
	Description, KeyUsage, Origin  string
	MultiRegion                    bool
	BypassPolicyLockoutSafetyCheck bool
	AliasName                      string
	TargetKeyID                    string `json:"TargetKeyId"`
	Tags                           []tag
	TagKeys                        []string
}

// tag is a tag in KMS's spelling.
type tag struct{ TagKey, TagValue string }

// allowKey authorises an operation on a key and checks the key's state. Management operations also
// work on a disabled key; most operations that change a key are rejected while its deletion is
// pending ("Key states of AWS KMS keys", AWS KMS Developer Guide).
func (q *request) allowKey(k *Key, action string, context map[string]string) error {
	err := q.service.UseKey(q.Request, k, action, Use{Region: q.Region, Context: context})
	refused, ok := err.(*wire.Error) //nolint:errorlint // useKey returns it unwrapped
	if !ok || !manages(q.Operation) {
		return err
	}
	pending := refused.Code == "KMSInvalidStateException"
	fixed := slices.Contains([]string{
		"EnableKey", "DisableKey", "ScheduleKeyDeletion", "CreateAlias", "UpdateAlias", "UpdateKeyDescription",
		"EnableKeyRotation", "DisableKeyRotation", "TagResource", "UntagResource",
	}, q.Operation)
	if refused.Code == "DisabledException" || pending && !fixed {
		return nil
	}
	return err
}

// crossesAccounts reports whether the operation can work on another account's key, if the policies
// allow it ("Allowing users in other accounts to use a KMS key", AWS KMS Developer Guide).
func crossesAccounts(operation string) bool { return operation == "DescribeKey" || !manages(operation) }

// noSuchKMSKey returns the error for a key that does not exist. Callers in the key's account get
// "not found"; callers in other accounts get "access denied".
func (q *request) noSuchKMSKey(id, action string) error {
	if arn.Is(id) && arn.Account(id) != q.Caller.Account.ID() {
		return wire.Refuse(http.StatusBadRequest, "AccessDeniedException", "User: %s is not authorized to perform: %s on this resource because "+
			"the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
			q.Caller.Caller.ARN, action)
	}
	return wire.Refuse(http.StatusBadRequest, "NotFoundException", "Invalid keyId '%s'", id)
}

// allowAccount authorises operations that name no key. They never cross accounts.
func (q *request) allowAccount(action string) error {
	d := q.Decide(core.Question{Action: action, Resource: "*", Account: q.Caller.Account.ID(), Kind: iam.Bucket})
	if d.Allowed {
		return nil
	}
	return wire.Refuse(http.StatusBadRequest, "AccessDeniedException", "User: %s is not authorized to perform: %s on resource: * %s",
		q.Caller.Caller.ARN, action, d.Reason())
}
