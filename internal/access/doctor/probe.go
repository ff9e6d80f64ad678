package doctor

import (
	"cmp"
	"encoding/json"
	"slices"

	"syncd/internal/access"
)

// Outcome is what became of a probe.
type Outcome string

// The outcomes.
const (
	OutcomeOK      Outcome = "ok"
	OutcomeDenied  Outcome = "denied"  // some policy did not allow it
	OutcomeFailed  Outcome = "failed"  // it does not work for another reason
	OutcomeSkipped Outcome = "skipped" // nothing could tell: no request was sent, or there was nothing to try it on
	OutcomeUnknown Outcome = "unknown" // a request was sent, and its answer does not tell
	OutcomeWarning Outcome = "warning" // it works, and should be otherwise; Error says why
)

// The features of checks that are no permission.
const (
	FeatureCredentials access.Feature = "credentials"
	// FeatureConnection is where requests go.
	FeatureConnection access.Feature = "connection"
	// FeatureClock is the clock of this machine.
	FeatureClock   access.Feature = "clock"
	FeatureRequest access.Feature = "request" // one whose permissions are all there, and which fails nevertheless
)

// CauseKind is what a cause lies in: the kind of a document, as [KindBucket], or one of these.
type CauseKind string

// The causes that are no document of [Policies].
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
	CauseNetwork         CauseKind = "network" // the way to a service
	CauseOwnership       CauseKind = "object ownership"
	CauseService         CauseKind = "service" // AWS, or the network's way to it
)

// String is what the cause is called in a sentence.
func (k CauseKind) String() string {
	if slices.Contains(access.Kinds(), access.Kind(k)) {
		return string(k) + " policy"
	}
	return string(k)
}

// Confidence says how sure a cause is.
type Confidence string

// The degrees of confidence.
const (
	Certain  Confidence = "certain"  // AWS said so, or another request proves it
	Likely   Confidence = "likely"   // one of the few that look alike from outside
	Possible Confidence = "possible" // it would look the same, and is rarer
)

// Cause is one explanation of a failure, and what to do about it.
type Cause struct {
	Kind CauseKind `json:"kind"`
	// Side and Account say who has to act; Account is empty where it is not known.
	Side    access.Side `json:"side"`
	Account string      `json:"account,omitempty"`
	// Target is what the document is put on: the ARN of a role, user or key, the name of a bucket,
	// or a path in the configuration.
	Target string `json:"target,omitempty"`
	// Statement is what to add to the document; empty where adding does not help.
	Statement  json.RawMessage `json:"statement,omitempty"`
	Confidence Confidence      `json:"confidence"`
	// Why says in a sentence what makes this a cause, and what else to do.
	Why string `json:"why"`
}

// Probe is what became of one permission of a mapping, or of one other thing that must hold. Its
// JSON form is a contract: docs/cli.md describes it.
type Probe struct {
	Mapping string         `json:"mapping"`
	Feature access.Feature `json:"feature"`
	// Action is the permission, and Resource what it is needed on; of other checks, the request and
	// what it was about.
	Action   string `json:"action"`
	Resource string `json:"resource,omitempty"`
	// Objects says of a key which objects it was tried with, where several kinds are there.
	Objects string `json:"objects,omitempty"`
	// Principal is who needs it; empty for ambient credentials that are not known.
	Principal string  `json:"principal,omitempty"`
	Outcome   Outcome `json:"outcome"`
	// Why says what asks for the permission.
	Why string `json:"why,omitempty"`
	// Request is the request that told.
	Request string `json:"request,omitempty"`
	// Error is what AWS said, or of what was skipped why.
	Error string `json:"error,omitempty"`
	// Causes come most likely first.
	Causes []Cause `json:"causes,omitempty"`
}

// Bad reports whether the check has failed.
func (c Probe) Bad() bool { return c.Outcome == OutcomeDenied || c.Outcome == OutcomeFailed }

// Diagnosis is what the doctor found.
type Diagnosis struct {
	Probes []Probe `json:"probes"`
	// Leftovers are the uploads and objects that probes could not take away again; as a rule there
	// are none.
	Leftovers []string `json:"leftovers,omitempty"`
}

// Healthy reports whether nothing has failed.
func (d Diagnosis) Healthy() bool { return !slices.ContainsFunc(d.Probes, Probe.Bad) }

// probeOf begins the check of a need.
func probeOf(n access.Need) Probe {
	return Probe{
		Mapping: n.Mapping, Feature: n.Feature, Action: n.Action, Resource: n.Resource, Principal: cmp.Or(n.Principal, n.Role), Why: n.Why,
	}
}
