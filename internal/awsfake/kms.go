package awsfake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

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
	Description         string
}

// kmsOperation is a KMS operation: the action it needs, and what it does once that is allowed.
type kmsOperation struct {
	action string
	serve  func(*request, *Key, *kmsInput) (any, error)
}

func kmsOperationOf(name string) (kmsOperation, bool) {
	switch name {
	case "DescribeKey":
		return kmsOperation{"kms:DescribeKey", (*request).describeKey}, true
	case "GetKeyPolicy":
		return kmsOperation{"kms:GetKeyPolicy", (*request).getKeyPolicy}, true
	case "PutKeyPolicy":
		return kmsOperation{"kms:PutKeyPolicy", (*request).putKeyPolicy}, true
	case "EnableKey":
		return kmsOperation{"kms:EnableKey", (*request).enableKey}, true
	case "DisableKey":
		return kmsOperation{"kms:DisableKey", (*request).disableKey}, true
	case "ScheduleKeyDeletion":
		return kmsOperation{"kms:ScheduleKeyDeletion", (*request).scheduleKeyDeletion}, true
	case "Encrypt":
		return kmsOperation{"kms:Encrypt", (*request).encryptDirect}, true
	case "Decrypt":
		return kmsOperation{"kms:Decrypt", (*request).decryptDirect}, true
	case "GenerateDataKey":
		return kmsOperation{"kms:GenerateDataKey", (*request).generateDataKeyDirect}, true
	}
	return kmsOperation{}, false
}

func (q *request) serveKMS() (*response, error) {
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
func (q *request) serveKey(in *kmsInput) (any, error) {
	op, known := kmsOperationOf(q.operation)
	if !known {
		return nil, errNotImplemented(q.operation)
	}
	if in.KeyID == "" && len(in.CiphertextBlob) > keyIDSize { // Decrypt finds the key in the ciphertext
		in.KeyID = q.cloud.keyByID(string(in.CiphertextBlob[1 : 1+keyIDSize]))
	}
	k := q.cloud.findKey(in.KeyID, q.region, q.caller.account)
	if k == nil || k.account != q.caller.account && !crossesAccounts(q.operation) {
		return nil, q.noSuchKMSKey(in.KeyID, op.action)
	}
	err := q.useKey(k, op.action, keyUse{service: serviceKMS, region: q.region, context: in.EncryptionContext})
	if refused, ok := err.(*apiError); ok && manages(q.operation) && //nolint:errorlint // useKey returns it unwrapped
		(refused.code == "DisabledException" || refused.code == "KMSInvalidStateException" && q.operation != "EnableKey") {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, refuse(http.StatusBadRequest, "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	return op.serve(q, k, in)
}

// crossesAccounts reports whether the operation can work on another account's key, whatever its policy
// says ("Allowing users in other accounts to use a KMS key", AWS KMS Developer Guide).
func crossesAccounts(operation string) bool { return operation == "DescribeKey" || !manages(operation) }

// manages reports whether the operation works on a key that cannot be used.
func manages(operation string) bool {
	return !slices.Contains([]string{"Encrypt", "Decrypt", "GenerateDataKey"}, operation)
}

func (c *Cloud) keyByID(id string) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for arn, k := range c.keys {
		if k.id == id {
			return arn
		}
	}
	return id
}

// noSuchKMSKey tells the key's own account that it is not there, and others only that they may not.
func (q *request) noSuchKMSKey(id, action string) error {
	if strings.HasPrefix(id, "arn:") && !strings.Contains(id, ":"+q.caller.account.id+":") {
		return refuse(http.StatusBadRequest, "AccessDeniedException", "User: %s is not authorized to perform: %s on this resource because "+
			"the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
			q.caller.caller.ARN, action)
	}
	return refuse(http.StatusBadRequest, "NotFoundException", "Invalid keyId '%s'", id)
}

// allowAccount authorises the operations that name no key; they never cross accounts.
func (q *request) allowAccount(action string) error {
	d := q.decide(question{action: action, resource: "*", account: q.caller.account.id, kind: iam.Bucket})
	if d.Allowed {
		return nil
	}
	return refuse(http.StatusBadRequest, "AccessDeniedException", "User: %s is not authorized to perform: %s on resource: * %s",
		q.caller.caller.ARN, action, d.Reason())
}

func (q *request) createKey(in *kmsInput) (any, error) {
	if err := q.allowAccount("kms:CreateKey"); err != nil {
		return nil, err
	}
	var policy *iam.Document
	if in.Policy != "" {
		var err error
		if policy, err = q.cloud.parseKeyPolicy(in.Policy); err != nil {
			return nil, err
		}
	}
	k := q.caller.account.CreateKey(q.region, policy)
	return q.describeKey(k, in)
}

func (q *request) listKeys() (any, error) {
	if err := q.allowAccount("kms:ListKeys"); err != nil {
		return nil, err
	}
	type listed struct {
		KeyID  string `json:"KeyId"`
		KeyARN string `json:"KeyArn"`
	}
	keys := []listed{}
	q.cloud.mu.RLock()
	defer q.cloud.mu.RUnlock()
	for arn, k := range q.cloud.keys {
		if k.account == q.caller.account && k.region == q.region {
			keys = append(keys, listed{k.id, arn})
		}
	}
	slices.SortFunc(keys, func(a, b listed) int { return strings.Compare(a.KeyARN, b.KeyARN) })
	return map[string]any{"Keys": keys, "Truncated": false}, nil
}

func (q *request) describeKey(k *Key, _ *kmsInput) (any, error) {
	_, state := k.read()
	manager := "CUSTOMER"
	if k.managed {
		manager = "AWS"
	}
	return map[string]any{"KeyMetadata": map[string]any{
		"AWSAccountId": k.account.id, "KeyId": k.id, "Arn": k.arn, "CreationDate": k.created.Unix(),
		"Enabled": state == keyEnabled, "KeyState": state, "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": manager,
		"KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", "EncryptionAlgorithms": []string{"SYMMETRIC_DEFAULT"}, "MultiRegion": false,
	}}, nil
}

func (q *request) getKeyPolicy(k *Key, _ *kmsInput) (any, error) {
	policy, _ := k.read()
	return map[string]string{"Policy": policy.String(), "PolicyName": "default"}, nil
}

func (q *request) putKeyPolicy(k *Key, in *kmsInput) (any, error) {
	policy, err := q.cloud.parseKeyPolicy(in.Policy)
	if err != nil {
		return nil, err
	}
	k.SetPolicy(policy)
	return struct{}{}, nil
}

func (c *Cloud) parseKeyPolicy(text string) (*iam.Document, error) {
	d, err := iam.Parse([]byte(text))
	if err == nil {
		err = d.CheckKind(iam.Key)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicyDocumentException", "%v", err)
	}
	if c.stranger(d) != "" {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals.")
	}
	return d, nil
}

func (q *request) enableKey(k *Key, _ *kmsInput) (any, error) {
	k.SetEnabled(true)
	return struct{}{}, nil
}

func (q *request) disableKey(k *Key, _ *kmsInput) (any, error) {
	k.SetEnabled(false)
	return struct{}{}, nil
}

func (q *request) scheduleKeyDeletion(k *Key, in *kmsInput) (any, error) {
	days := in.PendingWindowInDays
	if days == 0 {
		days = 30
	}
	if days < 7 || days > 30 {
		return nil, refuse(http.StatusBadRequest, "ValidationException", "PendingWindowInDays must be between 7 and 30")
	}
	k.ScheduleDeletion()
	at := q.cloud.now().Add(time.Duration(days) * 24 * time.Hour)
	return map[string]any{"KeyId": k.arn, "KeyState": keyPendingDeletion, "DeletionDate": at.Unix(), "PendingWindowInDays": days}, nil
}

func (q *request) encryptDirect(k *Key, in *kmsInput) (any, error) {
	if n := len(in.Plaintext); n == 0 || n > maxDirectPlaintext {
		return nil, refuse(http.StatusBadRequest, "ValidationException",
			"1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and %d", maxDirectPlaintext)
	}
	blob := k.encrypt(in.Plaintext, in.EncryptionContext, q.cloud.random)
	return map[string]any{"CiphertextBlob": blob, "KeyId": k.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (q *request) decryptDirect(k *Key, in *kmsInput) (any, error) {
	plain, err := k.decrypt(in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidCiphertextException", "")
	}
	return map[string]any{"Plaintext": plain, "KeyId": k.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (q *request) generateDataKeyDirect(k *Key, in *kmsInput) (any, error) {
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
