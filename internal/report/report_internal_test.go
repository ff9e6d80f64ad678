package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/access"
	"syncd/internal/access/doctor"
	"syncd/internal/plan"
	"syncd/internal/syncer/preview"
)

// TestPrintDiagnosis checks the output for each kind of check: a passed check is one line, and a
// failed check also shows which account must change what.
func TestPrintDiagnosis(t *testing.T) {
	d := doctor.Diagnosis{
		Probes: []doctor.Probe{
			{Mapping: "exports", Feature: access.FeatureList, Action: "s3:ListBucket", Resource: "arn:aws:s3:::owner-data", Outcome: doctor.OutcomeOK, Request: "ListObjectsV2", Why: "ListObjectsV2"},
			{
				Mapping: "exports", Feature: access.FeatureRead, Action: "kms:Decrypt", Resource: "arn:aws:kms:us-west-2:111111111111:key/k", Objects: "under a bucket key",
				Principal: "arn:aws:iam::222222222222:role/syncd", Outcome: doctor.OutcomeDenied, Request: "GetObject", Why: "GetObject", Error: "AccessDenied: no",
				Causes: []doctor.Cause{
					{
						Kind: "key", Side: access.Owner, Account: "111111111111", Target: "arn:aws:kms:us-west-2:111111111111:key/k",
						Statement: json.RawMessage(`{"Effect":"Allow"}`), Confidence: doctor.Likely, Why: "the key policy does not allow it, or denies it",
					},
					{Kind: doctor.CauseConfiguration, Side: access.Consumer, Target: "mappings.exports.source.region", Confidence: doctor.Certain, Why: "the bucket is elsewhere"},
					{Kind: doctor.CauseBoundary, Side: access.Consumer, Confidence: doctor.Possible, Why: "the permissions boundary"},
					{Kind: doctor.CauseEndpoint, Side: access.Consumer, Confidence: doctor.Possible, Why: "the endpoint"},
				},
			},
			{Mapping: "exports", Feature: access.FeatureWrite, Action: "s3:PutObject", Outcome: doctor.OutcomeSkipped, Error: "role syncd cannot be assumed"},
			{Mapping: "exports", Feature: access.FeatureTags, Action: "s3:PutObjectTagging", Outcome: doctor.OutcomeSkipped, Error: "role syncd cannot be assumed"},
			{Mapping: "invoices", Feature: access.FeatureSweep, Action: "s3:AbortMultipartUpload", Outcome: doctor.OutcomeUnknown, Error: "SlowDown: later"},
		},
		Leftovers: []string{"upload 7 of s3://consumer-copy/probe: AccessDenied"},
	}
	const want = `exports
  ok       list             s3:ListBucket on arn:aws:s3:::owner-data
  FAILED   read             kms:Decrypt on arn:aws:kms:us-west-2:111111111111:key/k, objects under a bucket key: AccessDenied: no
           for arn:aws:iam::222222222222:role/syncd, by GetObject
           needed for GetObject
           1. key policy of arn:aws:kms:us-west-2:111111111111:key/k, account 111111111111 (owner), likely: the key policy does not allow it, or denies it
              add {"Effect":"Allow"}
           2. configuration, mappings.exports.source.region, certain: the bucket is elsewhere
           less likely: the permissions boundary; the endpoint
  skipped  2 checks: role syncd cannot be assumed
invoices
  unknown  sweep            s3:AbortMultipartUpload: SlowDown: later
left behind: upload 7 of s3://consumer-copy/probe: AccessDenied
`
	var b bytes.Buffer
	if err := Diagnosis(&b, Diagnosed{Diagnosis: d}, false); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestMoneyAndTime checks the rounding of amounts and times.
func TestMoneyAndTime(t *testing.T) {
	for dollars, want := range map[float64]string{0: "$0", 1e-9: "under $0.000001", 0.0123456: "$0.012346", 12345.678: "$12,345.68", 5: "$5.00"} {
		if got := money(dollars); got != want {
			t.Errorf("%v dollars: got %q, want %q", dollars, got, want)
		}
	}
	for seconds, want := range map[float64]string{0.2: "200ms", 12.3: "12s", 3725: "1h2m"} {
		if got := rough(seconds); got != want {
			t.Errorf("%v seconds: got %q, want %q", seconds, got, want)
		}
	}
}

func TestPlansOfManyAreWorstFirst(t *testing.T) {
	v := func(name string, objects, bytes int64) preview.Pass {
		p := preview.Pass{Mapping: name, Generation: 3, Copy: preview.Tally{Objects: objects, Bytes: bytes}, Held: map[string]int64{}, Refused: map[string]int64{}}
		if objects > 0 {
			p.CopyByReason = map[string]preview.Tally{"changed": p.Copy}
		}
		p.Dollars.Total, p.Time = float64(objects), plan.Estimate{Seconds: float64(objects) * 60}
		return p
	}
	small, large, aside, rekey, damaged, first := v("small", 1, 10), v("large", 2, 1<<30), v("aside", 0, 0), v("rekey", 5, 5), v("damaged", 0, 0), v("first", 3, 3)
	aside.Held["archived"], rekey.Rekey, damaged.Damage, first.Generation = 4, "the key has changed", "manifest-3 is cut short", 0
	var out bytes.Buffer
	all := []Planned{{v("failed", 0, 0), errors.New("no route to host")}}
	for _, p := range []preview.Pass{v("fine", 0, 0), small, large, first, aside, rekey, damaged} {
		all = append(all, Planned{p, nil})
	}
	PlanTable(&out, all, 0)
	want := `MAPPING  STATE        COPY    BYTES  ADOPT  QUARANTINED  DOLLARS   TIME  WHY
failed   failed          0      0 B      0            0       $0     0s  no route to host
damaged  damaged         0      0 B      0            0       $0     0s  manifest-3 is cut short
rekey    refused         5      5 B      0            0    $5.00   5m0s  the key has changed; --rekey allows it
aside    quarantined     0      0 B      0            4       $0     0s  archived 4
first    first           3      3 B      0            0    $3.00   3m0s  its first pass: changed 3 (3 B)
large    work            2  1.0 GiB      0            0    $2.00   2m0s  changed 2
small    work            1     10 B      0            0    $1.00   1m0s  changed 1
fine     ok              0      0 B      0            0       $0     0s
total                   11  1.0 GiB      0            4   $11.00  11m0s
8 mappings: 1 failed, 1 damaged, 1 refused, 1 quarantined, 1 first, 2 work, 1 ok
The total time is for one mapping after the other, as with backfill. ` + "`syncd plan --mapping NAME` shows one mapping in full.\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPlanOfResumedPass checks from where a plan says that an unfinished pass is resumed, also if the
// first keys are not settled.
func TestPlanOfResumedPass(t *testing.T) {
	for after, want := range map[string]string{
		"a/1": "  resumes      an unfinished pass, after \"a/1\"\n",
		"":    "  resumes      an unfinished pass, which has settled ranges of later keys\n",
	} {
		var out bytes.Buffer
		Plan(&out, preview.Pass{Resumed: true, ResumesAfter: after})
		if !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("resumes after %q: got %s, want the line %q", after, out.String(), want)
		}
	}
}
