package awsfake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// maxDirectPlaintext is the most that Encrypt takes (AWS KMS API Reference).
const maxDirectPlaintext = 4096

// kmsInput is the union of the parameters of the KMS operations that the fake knows.
type kmsInput struct {
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
	Tags                           []kmsTag
	TagKeys                        []string
}

// kmsTag is a tag as KMS spells it.
type kmsTag struct{ TagKey, TagValue string }

// kmsOperation is a KMS operation: the action it needs, and what it does once that is allowed.
type kmsOperation struct {
	action string
	serve  func(*kmsRequest, *Key, *kmsInput) (any, error)
}

func kmsOperations() map[string]kmsOperation {
	return map[string]kmsOperation{
		"DescribeKey":          {"kms:DescribeKey", (*kmsRequest).describeKey},
		"GetKeyPolicy":         {"kms:GetKeyPolicy", (*kmsRequest).getKeyPolicy},
		"PutKeyPolicy":         {"kms:PutKeyPolicy", (*kmsRequest).putKeyPolicy},
		"ListKeyPolicies":      {"kms:ListKeyPolicies", (*kmsRequest).listKeyPolicies},
		"EnableKey":            {"kms:EnableKey", (*kmsRequest).enableKey},
		"DisableKey":           {"kms:DisableKey", (*kmsRequest).disableKey},
		"ScheduleKeyDeletion":  {"kms:ScheduleKeyDeletion", (*kmsRequest).scheduleKeyDeletion},
		"CancelKeyDeletion":    {"kms:CancelKeyDeletion", (*kmsRequest).cancelKeyDeletion},
		"UpdateKeyDescription": {"kms:UpdateKeyDescription", (*kmsRequest).updateKeyDescription},
		"EnableKeyRotation":    {"kms:EnableKeyRotation", (*kmsRequest).enableKeyRotation},
		"DisableKeyRotation":   {"kms:DisableKeyRotation", (*kmsRequest).disableKeyRotation},
		"GetKeyRotationStatus": {"kms:GetKeyRotationStatus", (*kmsRequest).getKeyRotationStatus},
		"TagResource":          {"kms:TagResource", (*kmsRequest).tagKey},
		"UntagResource":        {"kms:UntagResource", (*kmsRequest).untagKey},
		"ListResourceTags":     {"kms:ListResourceTags", (*kmsRequest).listKeyTags},
		"Encrypt":              {"kms:Encrypt", (*kmsRequest).encryptDirect},
		"Decrypt":              {"kms:Decrypt", (*kmsRequest).decryptDirect},
		"GenerateDataKey":      {"kms:GenerateDataKey", (*kmsRequest).generateDataKeyDirect},
	}
}

func (q *kmsRequest) serve() (*response, error) {
	in := &kmsInput{}
	if err := json.Unmarshal(q.body, in); err != nil {
		return nil, refuse(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	var out any
	var err error
	switch q.operation {
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
	res := &response{status: http.StatusOK, header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}}
	res.setBody(body)
	return res, nil
}

// serveKey serves the operations on one key.
func (q *kmsRequest) serveKey(in *kmsInput) (any, error) {
	op, known := q.kms.operations[q.operation]
	if !known {
		return nil, errNotImplemented(q.operation)
	}
	if in.KeyID == "" && len(in.CiphertextBlob) > keyIDSize { // Decrypt finds the key in the ciphertext
		in.KeyID = q.kms.keyByID(string(in.CiphertextBlob[1 : 1+keyIDSize]))
	}
	k := q.kms.findKey(in.KeyID, q.region, q.caller.account)
	if k == nil || k.account != q.caller.account && !crossesAccounts(q.operation) {
		return nil, q.noSuchKMSKey(in.KeyID, op.action)
	}
	if err := q.allowKey(k, op.action, in.EncryptionContext); err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, refuse(http.StatusBadRequest, "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	return op.serve(q, k, in)
}

// allowKey authorises an operation on a key. What manages it works on one that cannot be used; of one that is about to be deleted
// little can be changed ("Key states of AWS KMS keys", AWS KMS Developer Guide).
func (q *kmsRequest) allowKey(k *Key, action string, context map[string]string) error {
	err := q.kms.useKey(q.request, k, action, keyUse{region: q.region, context: context})
	refused, ok := err.(*apiError) //nolint:errorlint // useKey returns it unwrapped
	if !ok || !manages(q.operation) {
		return err
	}
	pending := refused.code == "KMSInvalidStateException"
	fixed := slices.Contains([]string{
		"EnableKey", "DisableKey", "ScheduleKeyDeletion", "CreateAlias", "UpdateAlias", "UpdateKeyDescription",
		"EnableKeyRotation", "DisableKeyRotation", "TagResource", "UntagResource",
	}, q.operation)
	if refused.code == "DisabledException" || pending && !fixed {
		return nil
	}
	return err
}

// crossesAccounts reports whether the operation can work on another account's key, whatever its policy
// says ("Allowing users in other accounts to use a KMS key", AWS KMS Developer Guide).
func crossesAccounts(operation string) bool { return operation == "DescribeKey" || !manages(operation) }

// noSuchKMSKey tells the key's own account that it is not there, and others only that they may not.
func (q *kmsRequest) noSuchKMSKey(id, action string) error {
	if strings.HasPrefix(id, "arn:") && !strings.Contains(id, ":"+q.caller.account.ID()+":") {
		return refuse(http.StatusBadRequest, "AccessDeniedException", "User: %s is not authorized to perform: %s on this resource because "+
			"the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
			q.caller.caller.ARN, action)
	}
	return refuse(http.StatusBadRequest, "NotFoundException", "Invalid keyId '%s'", id)
}

// allowAccount authorises the operations that name no key; they never cross accounts.
func (q *kmsRequest) allowAccount(action string) error {
	d := q.decide(question{action: action, resource: "*", account: q.caller.account.ID(), kind: iam.Bucket})
	if d.Allowed {
		return nil
	}
	return refuse(http.StatusBadRequest, "AccessDeniedException", "User: %s is not authorized to perform: %s on resource: * %s",
		q.caller.caller.ARN, action, d.Reason())
}

func (q *kmsRequest) encryptDirect(k *Key, in *kmsInput) (any, error) {
	if n := len(in.Plaintext); n == 0 || n > maxDirectPlaintext {
		return nil, refuse(http.StatusBadRequest, "ValidationException",
			"1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and %d", maxDirectPlaintext)
	}
	blob := k.encrypt(in.Plaintext, in.EncryptionContext, q.cloud.random)
	return map[string]any{"CiphertextBlob": blob, "KeyId": k.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (q *kmsRequest) decryptDirect(k *Key, in *kmsInput) (any, error) {
	plain, err := k.decrypt(in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidCiphertextException", "")
	}
	return map[string]any{"Plaintext": plain, "KeyId": k.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (q *kmsRequest) generateDataKeyDirect(k *Key, in *kmsInput) (any, error) {
	size := in.NumberOfBytes
	switch in.KeySpec {
	case "AES_256":
		size = 32
	case "AES_128":
		size = 16
	}
	if size < 1 || size > 1024 {
		return nil, refuse(http.StatusBadRequest, "ValidationException", "Please specify either number of bytes or key spec.")
	}
	plain := q.cloud.random.bytes(size)
	return map[string]any{
		"CiphertextBlob": k.encrypt(plain, in.EncryptionContext, q.cloud.random), "Plaintext": plain, "KeyId": k.arn,
	}, nil
}
