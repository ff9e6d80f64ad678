package doctor

import (
	"cmp"
	"encoding/json"
	"slices"

	"syncd/internal/access"
)

// Outcome is the result of a probe.
type Outcome string

// The outcomes.
const (
	OutcomeOK      Outcome = "ok"
	OutcomeDenied  Outcome = "denied"  // a policy did not allow the request
	OutcomeFailed  Outcome = "failed"  // the request failed for another reason
	OutcomeSkipped Outcome = "skipped" // not tested, for example because there is no object to test with
	OutcomeUnknown Outcome = "unknown" // a request was sent, but its response is inconclusive
	OutcomeWarning Outcome = "warning" // the setting works but should be changed; Error says why
)

// The features of probes that are not permissions.
const (
	FeatureCredentials access.Feature = "credentials"
	// FeatureConnection is for probes of the endpoints that receive requests.
	FeatureConnection access.Feature = "connection"
	// FeatureClock is for the probe of this machine's clock.
	FeatureClock   access.Feature = "clock"
	FeatureRequest access.Feature = "request" // a request that failed although all its permissions are proven
)

// CauseKind is the kind of a cause: the kind of a document, such as [access.KindBucket], or one of
// the constants below.
type CauseKind string

// The kinds of causes that are not documents of access/policy.
const (
	CauseBoundary        CauseKind = "permissions boundary"
	CauseServiceControl  CauseKind = "service control policy"
	CauseResourceControl CauseKind = "resource control policy"
	CauseEndpoint        CauseKind = "VPC endpoint policy"
	CausePublicAccess    CauseKind = "block public access"
	CauseKeyState        CauseKind = "key state"
	CauseRoleSettings    CauseKind = "role settings"
	CauseConfiguration   CauseKind = "configuration"
	CauseCredentials     CauseKind = "credentials"
	CauseClock           CauseKind = "clock"
	CauseNetwork         CauseKind = "network" // the network connection to a service
	CauseOwnership       CauseKind = "object ownership"
	CauseService         CauseKind = "service" // the service, or the network connection to it
)

// String returns the name of the kind for use in a sentence.
func (k CauseKind) String() string {
	if slices.Contains(access.Kinds(), access.Kind(k)) {
		return string(k) + " policy"
	}
	return string(k)
}

// Confidence is how certain a cause is.
type Confidence string

// The degrees of confidence.
const (
	Certain  Confidence = "certain"  // AWS reported it, or another request proves it
	Likely   Confidence = "likely"   // one of a few common causes that AWS's response does not distinguish
	Possible Confidence = "possible" // a rarer cause that AWS's response does not distinguish from the likely ones
)

// Cause is one explanation of a failure, and how to fix it.
type Cause struct {
	Kind CauseKind `json:"kind"`
	// Side and Account are the side and the account that must fix the cause. Account is empty if
	// unknown.
	Side    access.Side `json:"side"`
	Account string      `json:"account,omitempty"`
	// Target names what to fix: the ARN of a role, user or key or the name of a bucket that the
	// document applies to, or a path in the configuration.
	Target string `json:"target,omitempty"`
	// Statement is the statement to add to the document. It is empty if adding one does not help.
	Statement  json.RawMessage `json:"statement,omitempty"`
	Confidence Confidence      `json:"confidence"`
	// Why explains the cause in a sentence. It also says what to do, unless the fix is to add the
	// statement.
	Why string `json:"why"`
}

// Probe is the result for one permission of a mapping, or for another requirement. Its JSON form is
// a contract, described in docs/cli.md.
type Probe struct {
	Mapping string         `json:"mapping"`
	Feature access.Feature `json:"feature"`
	// For a permission, Action is the action, such as s3:GetObject, and Resource is the ARN of its
	// resource. For other probes, Action is the request that was sent or a description of what was
	// checked, and Resource is the endpoint or resource that was checked.
	Action   string `json:"action"`
	Resource string `json:"resource,omitempty"`
	// Objects describes the kind of objects that a key was probed with: "under the key itself" for
	// objects without an S3 Bucket Key, "under a bucket key" for objects with one. It is empty for
	// other resources.
	Objects string `json:"objects,omitempty"`
	// Principal is the principal that needs the permission. It is empty for unknown ambient
	// credentials.
	Principal string  `json:"principal,omitempty"`
	Outcome   Outcome `json:"outcome"`
	// Why is the request that requires the permission.
	Why string `json:"why,omitempty"`
	// Request is the operation whose response determined the outcome.
	Request string `json:"request,omitempty"`
	// Error is the error from AWS, or the reason why the probe was skipped.
	Error string `json:"error,omitempty"`
	// Causes are ordered with the most likely first.
	Causes []Cause `json:"causes,omitempty"`
}

// Bad reports whether the probe failed.
func (c Probe) Bad() bool { return c.Outcome == OutcomeDenied || c.Outcome == OutcomeFailed }

// Diagnosis is the result of [Diagnose] or [Foresee].
type Diagnosis struct {
	Probes []Probe `json:"probes"`
	// Leftovers are uploads and objects that the probes could not delete. It is normally empty.
	Leftovers []string `json:"leftovers,omitempty"`
}

// Healthy reports whether no probe failed. Skipped and unknown probes and warnings are not
// failures.
func (d Diagnosis) Healthy() bool { return !slices.ContainsFunc(d.Probes, Probe.Bad) }

// probeOf returns the probe for a need, without an outcome.
func probeOf(n access.Need) Probe {
	return Probe{
		Mapping: n.Mapping, Feature: n.Feature, Action: n.Action, Resource: n.Resource, Principal: cmp.Or(n.Principal, n.Role), Why: n.Why,
	}
}
