package doctor_test

import (
	"strings"
	"testing"

	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/doctor"
)

const pointSettings = "\naws: {endpoint_url: \"https://localhost:9000\", allow_http: true}\n"

// doctoredPoint returns a world with an access point and objects.
func doctoredPoint(t *testing.T, w accesstest.Way) *doctorWorld {
	t.Helper()
	x := &doctorWorld{accesstest.NewWorld(t, w, func(text string) string { return text + pointSettings })}
	for _, m := range x.Config.Mappings {
		x.Source().SetEncryption(x.OwnerKey.ARN(), false)
		x.Fill(m)
	}
	return x
}

func TestDoctorKnowsAccessPoints(t *testing.T) {
	for name, w := range accesstest.PointWays() {
		t.Run(name, func(t *testing.T) {
			x := doctoredPoint(t, w)
			for _, p := range x.diagnose(t).Probes {
				if p.Outcome != doctor.OutcomeOK {
					t.Errorf("%s %s on %s: got %s (%s), want ok", p.Mapping, p.Action, p.Resource, p.Outcome, p.Error)
				}
			}
			if x.Point == nil || w.Point.Account == accesstest.Consumer {
				return
			}
			x.Point.SetPolicy(nil)
			x.expectCause(t, access.KindAccessPoint, w.Point.Account, x.Point.ARN(), x.Point.ARN())
			x.Enforce(t, x.Documents)
			x.Source().SetPolicy(nil)
			if name == "to a relay" {
				return // the reader's account owns the bucket, so the identity policy of the reader is sufficient
			}
			target := "owner-data"
			if w.Point.Unknown {
				target = "bucket behind " + x.Point.ARN()
			}
			x.expectCause(t, access.KindBucket, accesstest.Owner, target, "s3:DataAccessPointArn")
		})
	}
}

// expectCause checks that a diagnosis names a document as a cause, with a statement that contains
// the given text.
func (x *doctorWorld) expectCause(t *testing.T, kind access.Kind, account, target, statement string) {
	t.Helper()
	for _, p := range bad(x.diagnose(t)) {
		for _, c := range p.Causes {
			if c.Kind == doctor.CauseKind(kind) && c.Account == account && c.Target == target && strings.Contains(string(c.Statement), statement) {
				return
			}
		}
	}
	t.Errorf("got no cause %s policy of %s in %s with %s", kind, target, account, statement)
}
