package kms

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// maxKeyPolicy is the maximum length of a key policy in bytes ("Quotas", AWS KMS Developer Guide).
const maxKeyPolicy = 32 << 10

func (q *request) createKey(in *input) (any, error) {
	if err := q.allowAccount("kms:CreateKey"); err != nil {
		return nil, err
	}
	if err := in.symmetric(); err != nil {
		return nil, err
	}
	var policy *iam.Document
	if in.Policy != "" {
		var err error
		if policy, err = q.keyPolicy(in, keyARN(q.Region, q.Caller.Account.ID(), "new")); err != nil {
			return nil, err
		}
	}
	k := q.service.CreateKey(q.Caller.Account, q.Region, policy)
	k.update(func() {
		k.description = in.Description
		k.tags = in.tags()
	})
	return q.describeKey(k, in)
}

// symmetric rejects key specs that the fake does not implement.
func (in *input) symmetric() error {
	for name, v := range map[string]struct{ got, only string }{
		"KeySpec": {in.KeySpec, "SYMMETRIC_DEFAULT"}, "KeyUsage": {in.KeyUsage, "ENCRYPT_DECRYPT"}, "Origin": {in.Origin, "AWS_KMS"},
	} {
		if v.got != "" && v.got != v.only {
			return wire.ErrNotImplemented("CreateKey with " + name + " " + v.got)
		}
	}
	if in.MultiRegion {
		return wire.ErrNotImplemented("CreateKey with MultiRegion")
	}
	return nil
}

func (in *input) tags() map[string]string {
	tags := map[string]string{}
	for _, t := range in.Tags {
		tags[t.TagKey] = t.TagValue
	}
	return tags
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
	q.service.mu.RLock()
	defer q.service.mu.RUnlock()
	for arn, k := range q.service.keys {
		if k.account == q.Caller.Account && k.region == q.Region {
			keys = append(keys, listed{k.id, arn})
		}
	}
	slices.SortFunc(keys, func(a, b listed) int { return strings.Compare(a.KeyARN, b.KeyARN) })
	return map[string]any{"Keys": keys, "Truncated": false}, nil
}

func (q *request) describeKey(k *Key, _ *input) (any, error) {
	q.service.mu.RLock()
	defer q.service.mu.RUnlock()
	manager := "CUSTOMER"
	if k.managed {
		manager = "AWS"
	}
	about := map[string]any{
		"AWSAccountId": k.account.ID(), "KeyId": k.id, "Arn": k.arn, "CreationDate": k.created.Unix(), "Description": k.description,
		"Enabled": k.state == keyEnabled, "KeyState": k.state, "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": manager,
		"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS",
		"EncryptionAlgorithms": []string{"SYMMETRIC_DEFAULT"}, "MultiRegion": false,
	}
	if k.state == keyPendingDeletion {
		about["DeletionDate"] = k.deletion.Unix()
	}
	return map[string]any{"KeyMetadata": about}, nil
}

func (q *request) getKeyPolicy(k *Key, _ *input) (any, error) {
	policy, _ := k.read()
	return map[string]string{"Policy": policy.String(), "PolicyName": "default"}, nil
}

func (q *request) putKeyPolicy(k *Key, in *input) (any, error) {
	policy, err := q.keyPolicy(in, k.arn)
	if err != nil {
		return nil, err
	}
	k.SetPolicy(policy)
	return struct{}{}, nil
}

func (q *request) listKeyPolicies(*Key, *input) (any, error) {
	return map[string]any{"PolicyNames": []string{"default"}, "Truncated": false}, nil
}

// keyPolicy reads a key policy. It rejects a policy that would prevent the caller from changing it
// again, unless the caller bypasses this check.
func (q *request) keyPolicy(in *input, arn string) (*iam.Document, error) {
	if len(in.Policy) > maxKeyPolicy {
		return nil, wire.Refuse(http.StatusBadRequest, "LimitExceededException", "The key policy exceeds the maximum size of %d bytes.", maxKeyPolicy)
	}
	d, err := iam.Parse([]byte(in.Policy))
	if err == nil {
		err = d.CheckKind(iam.Key)
	}
	if err != nil {
		return nil, wire.Refuse(http.StatusBadRequest, "MalformedPolicyDocumentException", "%v", err)
	}
	if q.Cloud.Directory.UnknownPrincipal(d) != "" {
		return nil, wire.Refuse(http.StatusBadRequest, "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals.")
	}
	again := q.Decide(core.Question{
		Action: "kms:PutKeyPolicy", Resource: arn, Account: q.Caller.Account.ID(), Kind: iam.Key, Policy: d,
		Context: Use{Region: q.Region}.facts(q.Caller.Account.ID()),
	})
	if !again.Allowed && !in.BypassPolicyLockoutSafetyCheck {
		return nil, wire.Refuse(http.StatusBadRequest, "MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")
	}
	return d, nil
}

func (q *request) enableKey(k *Key, _ *input) (any, error) {
	k.SetEnabled(true)
	return struct{}{}, nil
}

func (q *request) disableKey(k *Key, _ *input) (any, error) {
	k.SetEnabled(false)
	return struct{}{}, nil
}

func (q *request) scheduleKeyDeletion(k *Key, in *input) (any, error) {
	days := in.PendingWindowInDays
	if days == 0 {
		days = 30
	}
	if days < 7 || days > 30 {
		return nil, wire.Refuse(http.StatusBadRequest, "ValidationException", "PendingWindowInDays must be between 7 and 30")
	}
	k.ScheduleDeletion()
	at := q.Cloud.Now().Add(time.Duration(days) * 24 * time.Hour)
	k.update(func() { k.deletion = at })
	return map[string]any{"KeyId": k.arn, "KeyState": keyPendingDeletion, "DeletionDate": at.Unix(), "PendingWindowInDays": days}, nil
}

func (q *request) cancelKeyDeletion(k *Key, _ *input) (any, error) {
	if _, state := k.read(); state != keyPendingDeletion {
		return nil, wire.Refuse(http.StatusBadRequest, "KMSInvalidStateException", "%s is not pending deletion.", k.arn)
	}
	k.SetEnabled(false)
	return map[string]string{"KeyId": k.arn}, nil
}

func (q *request) updateKeyDescription(k *Key, in *input) (any, error) {
	k.update(func() { k.description = in.Description })
	return struct{}{}, nil
}

func (q *request) enableKeyRotation(k *Key, _ *input) (any, error) {
	k.update(func() { k.rotates = true })
	return struct{}{}, nil
}

func (q *request) disableKeyRotation(k *Key, _ *input) (any, error) {
	k.update(func() { k.rotates = false })
	return struct{}{}, nil
}

func (q *request) getKeyRotationStatus(k *Key, _ *input) (any, error) {
	q.service.mu.RLock()
	defer q.service.mu.RUnlock()
	return map[string]any{"KeyId": k.arn, "KeyRotationEnabled": k.rotates}, nil
}

func (q *request) tagKey(k *Key, in *input) (any, error) {
	k.update(func() {
		if k.tags == nil {
			k.tags = map[string]string{}
		}
		maps.Copy(k.tags, in.tags())
	})
	return struct{}{}, nil
}

func (q *request) untagKey(k *Key, in *input) (any, error) {
	k.update(func() {
		maps.DeleteFunc(k.tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
	})
	return struct{}{}, nil
}

func (q *request) listKeyTags(k *Key, _ *input) (any, error) {
	q.service.mu.RLock()
	defer q.service.mu.RUnlock()
	tags := []tag{}
	for _, key := range slices.Sorted(maps.Keys(k.tags)) {
		tags = append(tags, tag{key, k.tags[key]})
	}
	return map[string]any{"Tags": tags, "Truncated": false}, nil
}
