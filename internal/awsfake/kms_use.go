package awsfake

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// useKey authorises a KMS action. Through another service the context says so, and the refusal is that service's.
func (s *kmsService) useKey(q *request, k *Key, action string, use keyUse) error {
	q.cloud.countKey(k.arn, strings.TrimPrefix(action, "kms:"))
	policy, state := k.read()
	x := question{
		action: action, resource: k.arn, account: k.account.ID(), kind: iam.Key, policy: policy,
		managed: k.managed, forCaller: use.service != "", context: use.facts(q.caller.account.ID()),
	}
	if d := q.decide(x); !d.Allowed {
		return refuseKey(q, k, action, d, use)
	}
	if err := s.throttle(q, k, action, use); err != nil {
		return err
	}
	return keyStateError(k, state, use)
}

// keyUse is the circumstances of a use of a key.
type keyUse struct {
	service string // that asks KMS in the caller's name; "" for the caller itself
	region  string
	context map[string]string
}

func (u keyUse) facts(caller string) map[string][]string {
	f := map[string][]string{"kms:CallerAccount": {caller}}
	if u.service != "" {
		f["kms:ViaService"] = []string{u.service + "." + u.region + ".amazonaws.com"}
		f["aws:ViaAWSService"] = []string{"true"}
	}
	for k, v := range u.context {
		f["kms:EncryptionContext:"+k] = []string{v}
	}
	if len(u.context) > 0 {
		f["kms:EncryptionContextKeys"] = slices.Sorted(maps.Keys(u.context))
	}
	return f
}

// refuseKey is KMS's sentence. A gap in the key policy and a key that does not exist look the same.
func refuseKey(q *request, k *Key, action string, d iam.Decision, use keyUse) error {
	who := fmt.Sprintf("User: %s is not authorized to perform: %s ", q.caller.caller.ARN, action)
	switch {
	case d.Source == iam.SourceResource:
		who += "on this resource because the resource does not exist in this Region, no resource-based policies allow access, " +
			"or a resource-based policy explicitly denies access"
	case action == "kms:Decrypt":
		who += "on the resource associated with this ciphertext " + d.Reason()
	default:
		who += "on resource: " + k.arn + " " + d.Reason()
	}
	if use.service != "" {
		return refuse(http.StatusForbidden, "AccessDenied", "%s", who)
	}
	return refuse(http.StatusBadRequest, "AccessDeniedException", "%s", who)
}

// keyStateError is KMS's refusal of a key that is not enabled, or the word of the service that asks.
func keyStateError(k *Key, state string, use keyUse) error {
	code, text := "", ""
	switch state {
	case keyDisabled:
		code, text = "DisabledException", k.arn+" is disabled."
	case keyPendingDeletion:
		code, text = "KMSInvalidStateException", k.arn+" is pending deletion."
	default:
		return nil
	}
	if use.service != "" {
		code = "KMS." + code
	}
	return refuse(http.StatusBadRequest, code, "%s", text)
}

// throttle refuses to work with a key beyond its rate, or its caller's account's.
func (s *kmsService) throttle(q *request, k *Key, action string, use keyUse) error {
	if manages(strings.TrimPrefix(action, "kms:")) || k.rate.take() && s.rates.of(q.caller.account.ID()).take() {
		return nil
	}
	return use.protocol().throttledKMS()
}

// protocol is that of the refusal.
func (u keyUse) protocol() protocol {
	if u.service != "" {
		return restXML
	}
	return awsJSON
}

// manages reports whether the operation works on a key that cannot be used.
func manages(operation string) bool {
	return !slices.Contains([]string{"Encrypt", "Decrypt", "GenerateDataKey"}, operation)
}
