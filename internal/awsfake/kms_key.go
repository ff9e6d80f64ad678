package awsfake

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncd/internal/iam"
)

// maxKeyPolicy is in bytes ("Quotas", AWS KMS Developer Guide).
const maxKeyPolicy = 32 << 10

func (q *kmsRequest) createKey(in *kmsInput) (any, error) {
	if err := q.allowAccount("kms:CreateKey"); err != nil {
		return nil, err
	}
	if err := in.symmetric(); err != nil {
		return nil, err
	}
	var policy *iam.Document
	if in.Policy != "" {
		var err error
		if policy, err = q.keyPolicy(in, "arn:aws:kms:"+q.region+":"+q.caller.account.ID()+":key/new"); err != nil {
			return nil, err
		}
	}
	k := q.kms.createKey(q.caller.account, q.region, policy)
	k.update(func() {
		k.description = in.Description
		k.tags = in.tags()
	})
	return q.describeKey(k, in)
}

// symmetric refuses a key of another kind than the fake has.
func (in *kmsInput) symmetric() error {
	for name, v := range map[string]struct{ got, only string }{
		"KeySpec": {in.KeySpec, "SYMMETRIC_DEFAULT"}, "KeyUsage": {in.KeyUsage, "ENCRYPT_DECRYPT"}, "Origin": {in.Origin, "AWS_KMS"},
	} {
		if v.got != "" && v.got != v.only {
			return errNotImplemented("CreateKey with " + name + " " + v.got)
		}
	}
	if in.MultiRegion {
		return errNotImplemented("CreateKey with MultiRegion")
	}
	return nil
}

func (in *kmsInput) tags() map[string]string {
	tags := map[string]string{}
	for _, t := range in.Tags {
		tags[t.TagKey] = t.TagValue
	}
	return tags
}

func (q *kmsRequest) listKeys() (any, error) {
	if err := q.allowAccount("kms:ListKeys"); err != nil {
		return nil, err
	}
	type listed struct {
		KeyID  string `json:"KeyId"`
		KeyARN string `json:"KeyArn"`
	}
	keys := []listed{}
	q.kms.mu.RLock()
	defer q.kms.mu.RUnlock()
	for arn, k := range q.kms.keys {
		if k.account == q.caller.account && k.region == q.region {
			keys = append(keys, listed{k.id, arn})
		}
	}
	slices.SortFunc(keys, func(a, b listed) int { return strings.Compare(a.KeyARN, b.KeyARN) })
	return map[string]any{"Keys": keys, "Truncated": false}, nil
}

func (q *kmsRequest) describeKey(k *Key, _ *kmsInput) (any, error) {
	q.kms.mu.RLock()
	defer q.kms.mu.RUnlock()
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

func (q *kmsRequest) getKeyPolicy(k *Key, _ *kmsInput) (any, error) {
	policy, _ := k.read()
	return map[string]string{"Policy": policy.String(), "PolicyName": "default"}, nil
}

func (q *kmsRequest) putKeyPolicy(k *Key, in *kmsInput) (any, error) {
	policy, err := q.keyPolicy(in, k.arn)
	if err != nil {
		return nil, err
	}
	k.SetPolicy(policy)
	return struct{}{}, nil
}

func (q *kmsRequest) listKeyPolicies(*Key, *kmsInput) (any, error) {
	return map[string]any{"PolicyNames": []string{"default"}, "Truncated": false}, nil
}

// keyPolicy reads the policy of a key. One that keeps the caller from ever changing it again is refused, unless the caller insists.
func (q *kmsRequest) keyPolicy(in *kmsInput, arn string) (*iam.Document, error) {
	if len(in.Policy) > maxKeyPolicy {
		return nil, refuse(http.StatusBadRequest, "LimitExceededException", "The key policy exceeds the maximum size of %d bytes.", maxKeyPolicy)
	}
	d, err := iam.Parse([]byte(in.Policy))
	if err == nil {
		err = d.CheckKind(iam.Key)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicyDocumentException", "%v", err)
	}
	if q.cloud.directory.unknownPrincipal(d) != "" {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals.")
	}
	again := q.decide(question{
		action: "kms:PutKeyPolicy", resource: arn, account: q.caller.account.ID(), kind: iam.Key, policy: d,
		context: keyUse{region: q.region}.facts(q.caller.account.ID()),
	})
	if !again.Allowed && !in.BypassPolicyLockoutSafetyCheck {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")
	}
	return d, nil
}

func (q *kmsRequest) enableKey(k *Key, _ *kmsInput) (any, error) {
	k.SetEnabled(true)
	return struct{}{}, nil
}

func (q *kmsRequest) disableKey(k *Key, _ *kmsInput) (any, error) {
	k.SetEnabled(false)
	return struct{}{}, nil
}

func (q *kmsRequest) scheduleKeyDeletion(k *Key, in *kmsInput) (any, error) {
	days := in.PendingWindowInDays
	if days == 0 {
		days = 30
	}
	if days < 7 || days > 30 {
		return nil, refuse(http.StatusBadRequest, "ValidationException", "PendingWindowInDays must be between 7 and 30")
	}
	k.ScheduleDeletion()
	at := q.cloud.now().Add(time.Duration(days) * 24 * time.Hour)
	k.update(func() { k.deletion = at })
	return map[string]any{"KeyId": k.arn, "KeyState": keyPendingDeletion, "DeletionDate": at.Unix(), "PendingWindowInDays": days}, nil
}

func (q *kmsRequest) cancelKeyDeletion(k *Key, _ *kmsInput) (any, error) {
	if _, state := k.read(); state != keyPendingDeletion {
		return nil, refuse(http.StatusBadRequest, "KMSInvalidStateException", "%s is not pending deletion.", k.arn)
	}
	k.SetEnabled(false)
	return map[string]string{"KeyId": k.arn}, nil
}

func (q *kmsRequest) updateKeyDescription(k *Key, in *kmsInput) (any, error) {
	k.update(func() { k.description = in.Description })
	return struct{}{}, nil
}

func (q *kmsRequest) enableKeyRotation(k *Key, _ *kmsInput) (any, error) {
	k.update(func() { k.rotates = true })
	return struct{}{}, nil
}

func (q *kmsRequest) disableKeyRotation(k *Key, _ *kmsInput) (any, error) {
	k.update(func() { k.rotates = false })
	return struct{}{}, nil
}

func (q *kmsRequest) getKeyRotationStatus(k *Key, _ *kmsInput) (any, error) {
	q.kms.mu.RLock()
	defer q.kms.mu.RUnlock()
	return map[string]any{"KeyId": k.arn, "KeyRotationEnabled": k.rotates}, nil
}

func (q *kmsRequest) tagKey(k *Key, in *kmsInput) (any, error) {
	k.update(func() {
		if k.tags == nil {
			k.tags = map[string]string{}
		}
		maps.Copy(k.tags, in.tags())
	})
	return struct{}{}, nil
}

func (q *kmsRequest) untagKey(k *Key, in *kmsInput) (any, error) {
	k.update(func() {
		maps.DeleteFunc(k.tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
	})
	return struct{}{}, nil
}

func (q *kmsRequest) listKeyTags(k *Key, _ *kmsInput) (any, error) {
	q.kms.mu.RLock()
	defer q.kms.mu.RUnlock()
	tags := []kmsTag{}
	for _, key := range slices.Sorted(maps.Keys(k.tags)) {
		tags = append(tags, kmsTag{key, k.tags[key]})
	}
	return map[string]any{"Tags": tags, "Truncated": false}, nil
}
