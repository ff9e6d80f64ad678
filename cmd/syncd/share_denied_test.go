package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/access"
	"syncd/internal/access/doctor"
	"syncd/internal/iam"
	"syncd/internal/syncer"
)

// The messages of AWS for refused requests. If the two accounts are not in the same organization,
// S3 gives no reason (IAM User Guide, Troubleshoot access denied error messages).
const (
	saysNothing    = "AccessDenied: Access Denied"
	saysIdentity   = "because no identity-based policy allows the "
	saysResource   = "because no resource-based policy allows the "
	saysDeny       = "with an explicit deny in a resource-based policy"
	saysKey        = "no resource-based policies allow access"
	saysAssume     = "is not authorized to perform: sts:AssumeRole on resource: "
	saysTagSession = "is not authorized to perform: sts:TagSession on resource: "
)

// refusal describes how a test breaks a working way of sharing, and the expected errors.
type refusal struct {
	way, name string
	wreck     func(*testing.T, *sharing)
	exit      int    // exit code of backfill: 1 if nothing can be copied, 3 if every new object is quarantined
	says      string // the part of the AWS message that backfill prints
	actions   string // all actions that the doctor finds refused
	first     blame  // the first cause of the first action
	condition string // the condition that fails in the document that the doctor names, or the beginning of its key
}

// blame is the document that a cause names.
type blame struct {
	kind   doctor.CauseKind
	side   access.Side
	target string // the end of the target
	sure   doctor.Confidence
}

// TestShareDenied breaks each way of sharing at every grant that it needs, one at a time. It checks
// that the missing grant is the only reason for the refusal, that the doctor names the document and
// its account, that existing copies stay as they are, and that the remaining objects are copied
// when the grant is restored.
func TestShareDenied(t *testing.T) {
	for _, tt := range refusals() {
		t.Run(tt.way+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			x := newSharing(t, tt.way)
			// Copied in parts, but by a relay in one piece, and refused before the body is sent.
			const large = 6 << 20
			x.put("early ", 1)
			x.checkPasses(t, syncer.Summary{Listed: 4, Copied: 4})
			x.put("late ", large)
			before := x.versions()

			tt.wreck(t, x)
			d := x.diagnose(t, 1)
			x.checkBlame(t, tt, d)
			x.checkRefused(t, tt)
			if diff := cmp.Diff(before, x.versions()); diff != "" || x.buckets[shareCopy].Uploads() > 0 {
				t.Errorf("the destination has %d uploads, want none, and has changed (-before +after):\n%s", x.buckets[shareCopy].Uploads(), diff)
			}
			if tt.condition != "" {
				x.checkCondition(t, tt, firstBad(t, d))
			}

			x.allowAll(t)
			x.later.Store(int64(10 * time.Minute)) // after that time, objects in quarantine are due again
			x.checkPasses(t, syncer.Summary{Listed: 8, Copied: 4, Unchanged: 4})
			x.checkCopies(t)
		})
	}
}

// versions returns the ids of all versions at the destination.
func (x *sharing) versions() map[string][]string {
	all := map[string][]string{}
	for _, key := range x.buckets[shareCopy].Keys() {
		for _, v := range x.buckets[shareCopy].Versions(key) {
			all[key] = append(all[key], v.VersionID)
		}
	}
	return all
}

func firstBad(t *testing.T, d doctor.Diagnosis) doctor.Probe {
	t.Helper()
	at := slices.IndexFunc(d.Probes, doctor.Probe.Bad)
	if at < 0 || len(d.Probes[at].Causes) == 0 {
		t.Fatalf("got %+v, want a check that failed, with its causes", d.Probes)
	}
	return d.Probes[at]
}

// checkBlame checks that the doctor finds exactly the expected refused actions, and that it names
// the expected document and the account that must change it.
func (x *sharing) checkBlame(t *testing.T, want refusal, d doctor.Diagnosis) {
	t.Helper()
	first := firstBad(t, d)
	var actions []string
	for _, p := range d.Probes {
		if !p.Bad() {
			continue
		}
		actions = append(actions, p.Action)
		if p.Outcome != doctor.OutcomeDenied || p.Causes[0].Side != want.first.side {
			t.Errorf("%s: got the first cause %+v, want a denial by the %s", describe(p), p.Causes[0], want.first.side)
		}
	}
	slices.Sort(actions)
	if diff := cmp.Diff(strings.Fields(want.actions), slices.Compact(actions)); diff != "" {
		t.Errorf("actions refused (-want +got):\n%s", diff)
	}
	c := first.Causes[0]
	if c.Kind != want.first.kind || !strings.HasSuffix(x.named(c.Target), want.first.target) || c.Confidence != want.first.sure {
		t.Errorf("%s: got the first cause %+v, want %+v", describe(first), c, want.first)
	}
	if want.name == "another ExternalId" && !slices.ContainsFunc(first.Causes, isExternalID) {
		t.Errorf("got the causes %+v, want the ExternalId of the configuration among them", first.Causes)
	}
}

// named replaces key ARNs, which are random, by names.
func (x *sharing) named(target string) string {
	return strings.NewReplacer(x.ownerKey.ARN(), "source-key", x.copyKey.ARN(), "copy-key").Replace(target)
}

func isExternalID(c doctor.Cause) bool {
	return c.Kind == doctor.CauseConfiguration && strings.HasSuffix(c.Target, ".external_id")
}

// checkRefused runs a backfill that is refused, and checks the AWS message.
func (x *sharing) checkRefused(t *testing.T, want refusal) {
	t.Helper()
	got, all := x.pass(t)
	said := got.stderr
	for _, s := range all {
		if want.exit == 3 { // the log contains only the first object of each reason
			said += x.run(t, "status", "--mapping", s.Mapping, "--quarantine").stdout
		}
	}
	if got.code != want.exit || !strings.Contains(said, want.says) {
		t.Errorf("got exit %d, want %d with %q; stderr and quarantine:\n%s", got.code, want.exit, want.says, said)
	}
	for _, s := range all {
		if s.Copied != 0 || s.Adopted != 0 || want.exit == 3 && s.Quarantined["denied"] != 4 {
			t.Errorf("%s: got %+v, want nothing copied, and with exit 3 all four denied; stderr:\n%s", s.Mapping, s, got.stderr)
		}
	}
	if strings.Contains(got.stdout+got.stderr, x.externalID) {
		t.Errorf("got the ExternalId in\n%s%s", got.stdout, got.stderr)
	}
}

// checkCondition checks that the condition is the cause of the refusal: the first refused action
// must be allowed if the condition is removed from the document that the doctor names.
func (x *sharing) checkCondition(t *testing.T, want refusal, refused doctor.Probe) {
	t.Helper()
	target, found := refused.Causes[0].Target, 0
	x.enforce(t, func(d shared, policy *iam.Document) *iam.Document {
		if d.Target == target && d.Kind == access.Kind(want.first.kind) {
			found += unconditional(policy, want.condition)
		}
		return policy
	})
	if found == 0 {
		t.Errorf("got no condition %s in the %s of %s, want the doctor to name a document with this condition", want.condition, want.first.kind, target)
	}
	_, d := x.doctor(t)
	allowed := func(p doctor.Probe) bool {
		return p.Mapping == refused.Mapping && p.Action == refused.Action && p.Resource == refused.Resource && p.Outcome == doctor.OutcomeOK
	}
	if !slices.ContainsFunc(d.Probes, allowed) {
		t.Errorf("without the condition %s: got %s, want the action allowed", want.condition, describe(refused))
	}
}

// unconditional removes conditions whose keys begin with the given text from a policy, and Deny
// statements with such a condition. It returns how many conditions and statements it removed.
func unconditional(policy *iam.Document, key string) (found int) {
	matches := func(c iam.Condition) bool { return strings.HasPrefix(c.Key, key) }
	policy.Statements = slices.DeleteFunc(policy.Statements, func(s iam.Statement) bool {
		lost := s.Effect == iam.Deny && slices.ContainsFunc(s.Conditions, matches)
		if lost {
			found++
		}
		return lost
	})
	for i, s := range policy.Statements {
		policy.Statements[i].Conditions = slices.DeleteFunc(slices.Clone(s.Conditions), matches)
		found += len(s.Conditions) - len(policy.Statements[i].Conditions)
	}
	return found
}
