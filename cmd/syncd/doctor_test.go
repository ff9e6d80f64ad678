package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"syncd/internal/access"
	"syncd/internal/access/doctor"
)

// TestPrintDiagnosis has a check of each kind: what is right is a line, what failed tells whom to ask for what.
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
           rarer: the permissions boundary; the endpoint
  skipped  2 checks: role syncd cannot be assumed
invoices
  unknown  sweep            s3:AbortMultipartUpload: SlowDown: later
left behind: upload 7 of s3://consumer-copy/probe: AccessDenied
`
	var b bytes.Buffer
	if err := printDiagnosis(&b, diagnosis{Diagnosis: d}, false); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestDoctorOfARoleThatIsNotThere ends with 1, names the trust policy, and says what waits for it.
func TestDoctorOfARoleThatIsNotThere(t *testing.T) {
	s := newSite(t, func(text string) string { return strings.ReplaceAll(text, "role/syncd-consumer", "role/nobody") })
	got := s.run(t.Context(), "doctor")
	if got.code != 1 || got.stderr != "syncd: 1 check failed\n" {
		t.Errorf("got code %d and %q, want 1 and what failed", got.code, got.stderr)
	}
	for _, want := range []string{"  FAILED   assume ", "1. trust policy of arn:aws:iam::222222222222:role/nobody", `add {"Effect":"Allow","Principal":`, "checks: role consumer cannot be assumed"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("got %s, want it to contain %q", got.stdout, want)
		}
	}
}
