package kms

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// UseKey authorises a KMS action. If another service makes the call, the request context includes
// the name of that service, and the error has the format of that service.
func (s *Service) UseKey(q *core.Request, k *Key, action string, use Use) error {
	q.Cloud.CountKey(k.arn, strings.TrimPrefix(action, "kms:"))
	policy, state := k.read()
	x := core.Question{
		Action: action, Resource: k.arn, Account: k.account.ID(), Kind: iam.Key, Policy: policy,
		Managed: k.managed, ForCaller: use.Service != "", Context: use.facts(q.Caller.Account.ID()),
	}
	if d := q.Decide(x); !d.Allowed {
		return refuseKey(q, k, action, d, use)
	}
	if err := s.throttle(q, k, action, use); err != nil {
		return err
	}
	return keyStateError(k, state, use)
}

// Use describes one use of a key.
type Use struct {
	Service string // the service that calls KMS in the caller's name; "" if the caller does
	Region  string
	Context map[string]string
}

func (u Use) facts(caller string) map[string][]string {
	f := map[string][]string{"kms:CallerAccount": {caller}}
	if u.Service != "" {
		f["kms:ViaService"] = []string{viaService(u.Service, u.Region)}
		f["aws:ViaAWSService"] = []string{"true"}
	}
	for k, v := range u.Context {
		f["kms:EncryptionContext:"+k] = []string{v}
	}
	if len(u.Context) > 0 {
		f["kms:EncryptionContextKeys"] = slices.Sorted(maps.Keys(u.Context))
	}
	return f
}

// refuseKey returns KMS's access-denied error. The error is the same if the key policy denies the
// action and if the key does not exist.
func refuseKey(q *core.Request, k *Key, action string, d iam.Decision, use Use) error {
	who := fmt.Sprintf("User: %s is not authorized to perform: %s ", q.Caller.Caller.ARN, action)
	switch {
	case d.Source == iam.SourceResource:
		who += "on this resource because the resource does not exist in this Region, no resource-based policies allow access, " +
			"or a resource-based policy explicitly denies access"
	case action == "kms:Decrypt":
		who += "on the resource associated with this ciphertext " + d.Reason()
	default:
		who += "on resource: " + k.arn + " " + d.Reason()
	}
	if use.Service != "" {
		return wire.Refuse(http.StatusForbidden, "AccessDenied", "%s", who)
	}
	return wire.Refuse(http.StatusBadRequest, "AccessDeniedException", "%s", who)
}

// keyStateError returns the error for a key that is not enabled, or nil. The error has the code
// that KMS uses or, if another service called KMS, the code that this service uses.
func keyStateError(k *Key, state string, use Use) error {
	code, text := "", ""
	switch state {
	case keyDisabled:
		code, text = "DisabledException", k.arn+" is disabled."
	case keyPendingDeletion:
		code, text = "KMSInvalidStateException", k.arn+" is pending deletion."
	default:
		return nil
	}
	if use.Service != "" {
		code = "KMS." + code
	}
	return wire.Refuse(http.StatusBadRequest, code, "%s", text)
}

// throttle returns an error if the key or the caller's account is above its rate limit.
func (s *Service) throttle(q *core.Request, k *Key, action string, use Use) error {
	if manages(strings.TrimPrefix(action, "kms:")) || k.rate.Take() && s.rates.Of(q.Caller.Account.ID()).Take() {
		return nil
	}
	return use.protocol().ThrottledKMS()
}

// protocol returns the protocol of the error response: S3's if S3 called KMS, otherwise KMS's.
func (u Use) protocol() wire.Protocol {
	if u.Service != "" {
		return wire.RestXML
	}
	return wire.JSON
}

// manages reports whether the operation manages keys, rather than encrypting or decrypting with
// them. Keys can be managed while they are disabled.
func manages(operation string) bool {
	return !slices.Contains([]string{"Encrypt", "Decrypt", "GenerateDataKey"}, operation)
}

// viaService returns the value of kms:ViaService for a service in a Region.
func viaService(service, region string) string { return service + "." + region + ".amazonaws.com" }
