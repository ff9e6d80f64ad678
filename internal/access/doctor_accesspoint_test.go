package access_test

import (
	"strings"
	"testing"

	"syncd/internal/access"
)

const pointSettings = "\naws: {endpoint_url: \"https://localhost:9000\", allow_http: true}\n"

// doctoredPoint is a world with an access point and objects in it.
func doctoredPoint(t *testing.T, w way) *doctorWorld {
	t.Helper()
	x := &doctorWorld{newWorld(t, w, func(text string) string { return text + pointSettings })}
	for _, m := range x.config.Mappings {
		x.source().SetEncryption(x.ownerKey.ARN(), false)
		x.fill(m)
	}
	return x
}

func TestDoctorKnowsAccessPoints(t *testing.T) {
	for name, w := range pointWays() {
		t.Run(name, func(t *testing.T) {
			x := doctoredPoint(t, w)
			for _, p := range x.diagnose(t).Probes {
				if p.Outcome != access.OutcomeOK {
					t.Errorf("%s %s on %s: got %s (%s), want ok", p.Mapping, p.Action, p.Resource, p.Outcome, p.Error)
				}
			}
			if x.point == nil || w.point.account == consumer {
				return
			}
			x.point.SetPolicy(nil)
			x.expectCause(t, access.KindAccessPoint, w.point.account, x.point.ARN(), x.point.ARN())
			x.enforce(t, x.documents)
			x.source().SetPolicy(nil)
			if name == "to a relay" {
				return // the reader is of the bucket's account, where its own permissions suffice
			}
			target := "owner-data"
			if w.point.unknown {
				target = "bucket behind " + x.point.ARN()
			}
			x.expectCause(t, access.KindBucket, owner, target, "s3:DataAccessPointArn")
		})
	}
}

// expectCause has a diagnosis name a document as a cause, with a statement that has a text in it.
func (x *doctorWorld) expectCause(t *testing.T, kind access.Kind, account, target, statement string) {
	t.Helper()
	for _, p := range bad(x.diagnose(t)) {
		for _, c := range p.Causes {
			if c.Kind == access.CauseKind(kind) && c.Account == account && c.Target == target && strings.Contains(string(c.Statement), statement) {
				return
			}
		}
	}
	t.Errorf("got no cause %s policy of %s in %s with %s", kind, target, account, statement)
}
