package access

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"syncd/config"
	"syncd/internal/creds"
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
	FeatureCredentials Feature = "credentials"
	// FeatureConnection is where requests go.
	FeatureConnection Feature = "connection"
	// FeatureClock is the clock of this machine.
	FeatureClock   Feature = "clock"
	FeatureRequest Feature = "request" // one whose permissions are all there, and which fails nevertheless
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
	if slices.Contains(Kinds(), Kind(k)) {
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
	Side    Side   `json:"side"`
	Account string `json:"account,omitempty"`
	// Target is what the document is put on: the ARN of a role, user or key, the name of a bucket, or a path in the configuration.
	Target string `json:"target,omitempty"`
	// Statement is what to add to the document; empty where adding does not help.
	Statement  json.RawMessage `json:"statement,omitempty"`
	Confidence Confidence      `json:"confidence"`
	// Why says in a sentence what makes this a cause, and what else to do.
	Why string `json:"why"`
}

// Probe is what became of one permission of a mapping, or of one other thing that must hold. Its JSON form is a contract:
// docs/cli.md describes it.
type Probe struct {
	Mapping string  `json:"mapping"`
	Feature Feature `json:"feature"`
	// Action is the permission, and Resource what it is needed on; of other checks, the request and what it was about.
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
	// Leftovers are the uploads and objects that probes could not take away again; as a rule there are none.
	Leftovers []string `json:"leftovers,omitempty"`
}

// Healthy reports whether nothing has failed.
func (d Diagnosis) Healthy() bool { return !slices.ContainsFunc(d.Probes, Probe.Bad) }

// DoctorOptions say what is to be diagnosed, and with which credentials.
type DoctorOptions struct {
	Config *config.Config
	// Mappings are the names of the mappings to look at; none means all.
	Mappings []string
	// Sessions returns fresh credentials for a mapping whose roles are these: those of the configuration, or some of them with less
	// asked of a session, to find out what is refused.
	Sessions func(ctx context.Context, m config.Mapping, roles map[string]config.Role) (*creds.Set, error)
}

// Diagnose tries every permission that the mappings need with real requests, in the order in which they depend on each other, and
// says of each that fails which documents may be the cause. An error means that nothing could be tried at all.
//
// Nothing is changed that anybody could see. No object is read beyond its first byte, written or deleted: writes go into an upload
// that is aborted, or carry a condition that cannot hold, which S3 looks at only once the request is allowed. An upload that could not
// be aborted is told in Leftovers.
func Diagnose(ctx context.Context, o DoctorOptions) (Diagnosis, error) {
	mappings, err := Options{Mapping: o.Mappings}.choose(o.Config)
	if err != nil {
		return Diagnosis{}, err
	}
	var d Diagnosis
	for _, m := range mappings {
		w := &walk{o: o, reading: reading{c: o.Config, m: m, traits: traitsOf(o.Config, m)}, blocked: map[string]string{}}
		for _, other := range mappings {
			w.owners = append(w.owners, ownersOf(other)...)
		}
		if err := w.run(ctx); err != nil {
			return d, fmt.Errorf("mapping %s: %w", m.Name, err)
		}
		d.Probes = append(d.Probes, slices.Concat(w.result(), w.deputyProbes(), w.exposedProbes(), w.foundProbes(), w.clockProbes())...)
		d.Leftovers = append(d.Leftovers, w.leftovers...)
	}
	return d, nil
}

// Foresee returns what [Diagnose] would check, without a request: every check is skipped. What needs no request is told.
func Foresee(c *config.Config, names []string) (Diagnosis, error) {
	mappings, err := Options{Mapping: names}.choose(c)
	if err != nil {
		return Diagnosis{}, err
	}
	var d Diagnosis
	for _, m := range mappings {
		for _, n := range Needs(c, m) {
			if n.behind {
				continue
			}
			probe := probeOf(n)
			probe.Outcome = OutcomeSkipped
			d.Probes = append(d.Probes, probe)
		}
		r := reading{c: c, m: m, traits: traitsOf(c, m)}
		d.Probes = append(d.Probes, slices.Concat(r.deputyProbes(), r.exposedProbes())...)
	}
	return d, nil
}

// probeOf begins the check of a need.
func probeOf(n Need) Probe {
	return Probe{
		Mapping: n.Mapping, Feature: n.Feature, Action: n.Action, Resource: n.Resource, Principal: cmp.Or(n.Principal, n.Role), Why: n.Why,
	}
}
