package kms

import (
	"encoding/json"
	"net/http"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/wire"
)

// New returns a KMS without keys.
func New(c *core.Cloud) *Service {
	s := &Service{cloud: c, keys: map[string]*Key{}, aliases: map[string]*Key{}, managed: map[ownedKey]*Key{}}
	operations := operations()
	c.Directory.OnRename(s.rename)
	c.Serve(core.Service{Name: "kms", Protocol: wire.JSON, Target: "TrentService.", Serve: func(q *core.Request) (*wire.Response, error) {
		return (&request{q, s}).serve(operations)
	}})
	return s
}

// operation is a KMS operation: the action it requires and its handler.
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

func (q *request) serve(operations map[string]operation) (*wire.Response, error) {
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
		out, err = q.serveKey(operations, in)
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

// serveKey serves operations on one key.
func (q *request) serveKey(operations map[string]operation, in *input) (any, error) {
	op, known := operations[q.Operation]
	if !known {
		return nil, wire.ErrNotImplemented(q.Operation)
	}
	if in.KeyID == "" && len(in.CiphertextBlob) > keyIDSize { // Decrypt takes the key from the ciphertext
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
