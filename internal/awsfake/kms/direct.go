package kms

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// maxDirectPlaintext is the most that Encrypt takes (AWS KMS API Reference).
const maxDirectPlaintext = 4096

// input is the union of the parameters of the KMS operations that the fake knows.
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

	// Of keys and their aliases.
	Description, KeyUsage, Origin  string
	MultiRegion                    bool
	BypassPolicyLockoutSafetyCheck bool
	AliasName                      string
	TargetKeyID                    string `json:"TargetKeyId"`
	Tags                           []tag
	TagKeys                        []string
}

// tag is a tag as KMS spells it.
type tag struct{ TagKey, TagValue string }

// operation is a KMS operation: the action it needs, and what it does once that is allowed.
type operation struct {
	action string
	serve  func(*request, *Key, *input) (any, error)
}

func operations() map[string]operation {
	return map[string]operation{
		"DescribeKey":          {"kms:DescribeKey", (*request).describeKey},
		"GetKeyPolicy":         {"kms:GetKeyPolicy", (*request).getKeyPolicy},
		"PutKeyPolicy":         {"kms:PutKeyPolicy", (*request).putKeyPolicy},
		"ListKeyPolicies":      {"kms:ListKeyPolicies", (*request).listKeyPolicies},
		"EnableKey":            {"kms:EnableKey", (*request).enableKey},
		"DisableKey":           {"kms:DisableKey", (*request).disableKey},
		"ScheduleKeyDeletion":  {"kms:ScheduleKeyDeletion", (*request).scheduleKeyDeletion},
		"CancelKeyDeletion":    {"kms:CancelKeyDeletion", (*request).cancelKeyDeletion},
		"UpdateKeyDescription": {"kms:UpdateKeyDescription", (*request).updateKeyDescription},
		"EnableKeyRotation":    {"kms:EnableKeyRotation", (*request).enableKeyRotation},
		"DisableKeyRotation":   {"kms:DisableKeyRotation", (*request).disableKeyRotation},
		"GetKeyRotationStatus": {"kms:GetKeyRotationStatus", (*request).getKeyRotationStatus},
		"TagResource":          {"kms:TagResource", (*request).tagKey},
		"UntagResource":        {"kms:UntagResource", (*request).untagKey},
		"ListResourceTags":     {"kms:ListResourceTags", (*request).listKeyTags},
		"Encrypt":              {"kms:Encrypt", (*request).encryptDirect},
		"Decrypt":              {"kms:Decrypt", (*request).decryptDirect},
		"GenerateDataKey":      {"kms:GenerateDataKey", (*request).generateDataKeyDirect},
	}
}

func (q *request) serve() (*wire.Response, error) {
	in := &input{}
	if err := json.Unmarshal(q.Body, in); err != nil {
		return nil, wire.Refuse(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	var out any
	var err error
	switch q.Operation {
	case "CreateKey":
		out, err = q.createKey(in)
	case "ListKeys":
		out, err = q.listKeys()
	case "CreateAlias", "UpdateAlias":
		out, err = q.putAlias(in)
	case "DeleteAlias":
		out, err = q.deleteAlias(in)
	case "ListAliases":
		out, err = q.listAliases(in)
	default:
		out, err = q.serveKey(in)
	}
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	res := &wire.Response{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}}
	res.SetBody(body)
	return res, nil
}

// serveKey serves the operations on one key.
func (q *request) serveKey(in *input) (any, error) {
	op, known := q.service.operations[q.Operation]
	if !known {
		return nil, wire.ErrNotImplemented(q.Operation)
	}
	if in.KeyID == "" && len(in.CiphertextBlob) > keyIDSize { // Decrypt finds the key in the ciphertext
		in.KeyID = q.service.keyByID(string(in.CiphertextBlob[1 : 1+keyIDSize]))
	}
	k := q.service.FindKey(in.KeyID, q.Region, q.Caller.Account)
	if k == nil || k.account != q.Caller.Account && !crossesAccounts(q.Operation) {
		return nil, q.noSuchKMSKey(in.KeyID, op.action)
	}
	if err := q.allowKey(k, op.action, in.EncryptionContext); err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, wire.Refuse(http.StatusBadRequest, "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	return op.serve(q, k, in)
}

// allowKey authorises an operation on a key. What manages it works on one that cannot be used; of one that is about to be deleted
// little can be changed ("Key states of AWS KMS keys", AWS KMS Developer Guide).
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

// crossesAccounts reports whether the operation can work on another account's key, whatever its policy
// says ("Allowing users in other accounts to use a KMS key", AWS KMS Developer Guide).
func crossesAccounts(operation string) bool { return operation == "DescribeKey" || !manages(operation) }

// noSuchKMSKey tells the key's own account that it is not there, and others only that they may not.
func (q *request) noSuchKMSKey(id, action string) error {
	if strings.HasPrefix(id, "arn:") && !strings.Contains(id, ":"+q.Caller.Account.ID()+":") {
		return wire.Refuse(http.StatusBadRequest, "AccessDeniedException", "User: %s is not authorized to perform: %s on this resource because "+
			"the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
			q.Caller.Caller.ARN, action)
	}
	return wire.Refuse(http.StatusBadRequest, "NotFoundException", "Invalid keyId '%s'", id)
}

// allowAccount authorises the operations that name no key; they never cross accounts.
func (q *request) allowAccount(action string) error {
	d := q.Decide(core.Question{Action: action, Resource: "*", Account: q.Caller.Account.ID(), Kind: iam.Bucket})
	if d.Allowed {
		return nil
	}
	return wire.Refuse(http.StatusBadRequest, "AccessDeniedException", "User: %s is not authorized to perform: %s on resource: * %s",
		q.Caller.Caller.ARN, action, d.Reason())
}

func (q *request) encryptDirect(k *Key, in *input) (any, error) {
	if n := len(in.Plaintext); n == 0 || n > maxDirectPlaintext {
		return nil, wire.Refuse(http.StatusBadRequest, "ValidationException",
			"1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and %d", maxDirectPlaintext)
	}
	blob := k.Encrypt(in.Plaintext, in.EncryptionContext, q.Cloud.Random)
	return map[string]any{"CiphertextBlob": blob, "KeyId": k.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (q *request) decryptDirect(k *Key, in *input) (any, error) {
	plain, err := k.Decrypt(in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, wire.Refuse(http.StatusBadRequest, "InvalidCiphertextException", "")
	}
	return map[string]any{"Plaintext": plain, "KeyId": k.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (q *request) generateDataKeyDirect(k *Key, in *input) (any, error) {
	size := in.NumberOfBytes
	switch in.KeySpec {
	case "AES_256":
		size = 32
	case "AES_128":
		size = 16
	}
	if size < 1 || size > 1024 {
		return nil, wire.Refuse(http.StatusBadRequest, "ValidationException", "Please specify either number of bytes or key spec.")
	}
	plain := q.Cloud.Random.Bytes(size)
	return map[string]any{
		"CiphertextBlob": k.Encrypt(plain, in.EncryptionContext, q.Cloud.Random), "Plaintext": plain, "KeyId": k.arn,
	}, nil
}
