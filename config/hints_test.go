package config_test

import (
	"errors"
	"strings"
	"testing"

	"syncd/config"
	"syncd/config/fault"
)

// full is a configuration in which each setting has a distinct value, so that a test can replace
// the value of one setting.
const full = `state: s3://consumer-state/syncd/
http: {listen: "127.0.0.1:9090"}
log: {level: info}
aws: {endpoint_url: ""}
checkpoint: {account: "222222222222", region: eu-west-1, keep_for: 1h}
drain_timeout: 25s
roles:
  r: {arn: "arn:aws:iam::222222222222:role/r", region: eu-west-2, session_name: syncd, external_id: an-external-id, tags: {team: lake}}
mappings:
  - name: m
    schedule: "@hourly"
    source: {bucket: owner-data, prefix: a/, region: us-west-2, account: "111111111111", role: r, endpoint_url: ""}
    destination: {bucket: consumer-copy, region: us-east-1, account: "222222222222", kms_key: "arn:aws:kms:us-east-1:222222222222:key/1a"}
    filter: {exclude: [x]}
    copy: {part_size: auto, mode: auto, object_lock: copy, object_lock_max: 10y}
`

// TestFaultsSayWhatWasMeant checks that one wrong value in a setting causes one fault, which names
// the setting and says what to write.
func TestFaultsSayWhatWasMeant(t *testing.T) {
	if _, err := config.Parse([]byte(full), "syncd.yaml"); err != nil {
		t.Fatal(err)
	}
	const schedule, scheduleHint = `"@hourly"`, `use "@every 15m", "@hourly" or the five fields of cron: minute hour day month weekday`
	for _, tt := range []struct{ old, value, want string }{
		// regions, in any setting
		{"us-west-2", "us-wst-2", `12: mappings[0].source.region: "us-wst-2" is not a region; did you mean us-west-2?`},
		{"us-west-2", "us-west2", `is not a region; did you mean us-west-2?`},
		{"us-west-2", "US_West_2", `is not a region; did you mean us-west-2?`},
		{"us-west-2", "us-west-2a", `is not a region; did you mean us-west-2?`},
		{"us-west-2", "Oregon", `is not a region; use a code such as us-west-2`},
		{"us-west-2", "xx-west-1", `mappings[0].source.region: "xx-west-1" is not a region; did you mean `},
		{"eu-west-1", "eu-wst-1", `5: checkpoint.region: "eu-wst-1" is not a region; did you mean eu-west-1?`},
		{"eu-west-2", "eu-weest-2", `8: roles.r.region: "eu-weest-2" is not a region; did you mean eu-west-2?`},
		{"us-east-1, account", "us-est-1, account", `13: mappings[0].destination.region: "us-est-1" is not a region; did you mean us-east-1?`},
		// schedules
		{schedule, `"CRON_TZ=Europe/Berln 0 2 * * *"`, `unknown time zone "Europe/Berln"; did you mean Europe/Berlin?`},
		{schedule, `"TZ=europe/berlin 0 2 * * *"`, `unknown time zone "europe/berlin"; did you mean Europe/Berlin?`},
		{schedule, `"CRON_TZ=Berlin 0 2 * * *"`, `did you mean Europe/Berlin?`},
		{schedule, `"CRON_TZ=PST 0 2 * * *"`, `unknown time zone "PST"; use a name of the IANA time zone database, such as Europe/Berlin or UTC`},
		{schedule, `"CRON_TZ=America/New York 0 2 * * *"`, `unknown time zone "America/New"; `},
		{schedule, `"CRONTZ=Europe/Berlin 0 2 * * *"`, `unknown setting CRONTZ; did you mean CRON_TZ?`},
		{schedule, `"cron_tz=Europe/Berlin 0 2 * * *"`, `unknown setting cron_tz; did you mean CRON_TZ?`},
		{schedule, `"CRON_TZ=UTC"`, `a time zone without a schedule; ` + scheduleHint},
		{schedule, `"CRON_TZ = UTC 0 2 * * *"`, `the zone must be followed by exactly one space; did you mean "CRON_TZ=UTC 0 2 * * *"?`},
		{schedule, `"CRON_TZ=UTC 0 0 2 * * *"`, `it has 6 fields, but seconds and years are not supported; did you mean "CRON_TZ=UTC 0 2 * * *"?`},
		{schedule, `"0 0 2 * * *"`, `it has 6 fields, but seconds and years are not supported; did you mean "0 2 * * *"?`},
		{schedule, `"0 0 2 ? * MON-FRI 2026"`, `it has 7 fields, but seconds and years are not supported; did you mean "0 2 ? * MON-FRI"?`},
		{schedule, `"cron(0 12 * * ? *)"`, `it has the syntax of Amazon EventBridge; did you mean "0 12 * * ?"?`},
		{schedule, `"rate(15 minutes)"`, `it has the syntax of Amazon EventBridge; did you mean "@every 15m"?`},
		{schedule, `"0 2 * *"`, `it has 4 of the five fields; did you mean "0 2 * * *"?`},
		{schedule, `"*/15"`, `it has 1 of the five fields; did you mean "*/15 * * * *"?`},
		{schedule, `"at noon"`, `it has 2 of the five fields; ` + scheduleHint},
		{schedule, `"0 2 * * MNO"`, `"MNO" is not a day of the week; did you mean mon?`},
		{schedule, `"0 2 * Januar *"`, `"Januar" is not a month; did you mean jan?`},
		{schedule, `"0 2am * * *"`, `"am" is not an hour; `},
		{schedule, `"every 15m"`, `did you mean "@every 15m"?`},
		{schedule, `"@every 15min"`, `did you mean "@every 15m"?`},
		{schedule, `"@every15m"`, `did you mean "@every 15m"?`},
		{schedule, `"15m"`, `did you mean "@every 15m"?`},
		{schedule, `"@hourli"`, `unknown descriptor "@hourli"; did you mean "@hourly"?`},
		{schedule, `"daily"`, `did you mean "@daily"?`},
		{schedule, `"@reboot"`, `unknown descriptor "@reboot"; ` + scheduleHint},
		{schedule, `"61 2 * * *"`, `end of range (61) above maximum (59): 61; ` + scheduleHint},
		// durations
		{"25s", "25sec", `6: drain_timeout: "25sec" is not a duration; did you mean 25s?`},
		{"25s", "15min", `did you mean 15m?`},
		{"25s", "1 hour and 30 minutes", `did you mean 1h30m?`},
		{"25s", "1,5h", `did you mean 1h30m?`},
		{"25s", "PT15M", `did you mean 15m?`},
		{"25s", "25", `give it a unit: 25s, 25m or 25h`},
		{"25s", "soon", `use a number and its unit, as in 10s, 15m or 1h`},
		{"1h", "7d", `5: checkpoint.keep_for: "7d" is not a duration; did you mean 168h?`},
		{"10y", "10 years", `15: mappings[0].copy.object_lock_max: "10 years" is not a length of time; did you mean 10y?`},
		{"10y", "90", `give it a unit: 90d or 90y`},
		// choices
		{"level: info", "level: wran", `3: log.level: "wran" is not one of debug, info, warn, error; did you mean warn?`},
		{"mode: auto", "mode: serverside", `did you mean server_side?`},
		{"part_size: auto", "part_size: Auto", `did you mean auto?`},
		// endpoints
		{`endpoint_url: ""}` + "\ncheckpoint", `endpoint_url: minio.example.net:9000}` + "\ncheckpoint", `4: aws.endpoint_url: is not an absolute http or https URL; did you mean https://minio.example.net:9000?`},
		{`role: r, endpoint_url: ""`, `role: r, endpoint_url: "https://minio.example.net/owner-data"`, `12: mappings[0].source.endpoint_url: has the bucket "owner-data" in its path, but syncd adds the bucket to every request; leave the bucket out`},
		{`role: r, endpoint_url: ""`, `role: r, endpoint_url: "https://s3.us-west-2.amazonaws.com/x"`, `names a bucket: `},
		{`role: r, endpoint_url: ""`, `role: r, endpoint_url: "https://minio.example.net/?x=1"`, `contains a query or fragment; `},
		{`role: r, endpoint_url: ""`, `role: r, endpoint_url: "https://a:hunter2@minio.example.net"`, `contains a user name or password; use a URL such as https://s3.example.net`},
		{`role: r, endpoint_url: ""`, `role: r, endpoint_url: "https://minio.example.net:90000"`, `contains an invalid port; `},
		{`role: r, endpoint_url: ""`, `role: r, endpoint_url: "https://sts.us-west-2.amazonaws.com"`, `12: mappings[0].source.endpoint_url: is an STS endpoint, but this setting needs an S3 endpoint; leave it out, or use an S3 endpoint`},
		{"session_name: syncd", `endpoint_url: "https://s3.amazonaws.com"`, `8: roles.r.endpoint_url: is an S3 endpoint, but this setting needs an STS endpoint; `},
		{"127.0.0.1:9090", "127.0.0.300:9090", `2: http.listen: "127.0.0.300:9090" is not an address to listen on; use HOST:PORT or :PORT`},
		{"127.0.0.1:9090", "local host:9090", `is not an address to listen on`},
		// keys in another section
		{"prefix: a/", "kms_key: x", `12: mappings[0].source.kms_key: unknown key; it belongs to checkpoint or mappings[].destination`},
		{"drain_timeout: 25s", "region: us-west-2", `6: region: unknown key; it belongs to checkpoint or roles.NAME or mappings[].source or mappings[].destination`},
		{"session_name: syncd", "passes: 5", `8: roles.r.passes: unknown key; it belongs to the top level`},
		{"session_name: syncd", "colour: red", `8: roles.r.colour: unknown key; use one of arn, via, `},
		// accounts
		{`"111111111111"`, `"1111-1111-1111"`, `did you mean "111111111111"?`},
		// placeholders
		{"owner-data", "REPLACE_WITH_BUCKET", `12: mappings[0].source.bucket: "REPLACE_WITH_BUCKET" is a placeholder; put the real value in its place`},
		{"owner-data", "replace-with-your-bucket", `is a placeholder; `},
		{"owner-data", "<bucket>", `"<bucket>" is a placeholder; `},
		{"owner-data", "SOURCE_BUCKET", `"SOURCE_BUCKET" is a placeholder that was not filled in`},
		{"owner-data", `"${BUCKET}"`, `"${BUCKET}" is a placeholder; `},
		{"owner-data", `"{{ .Values.bucket }}"`, `"{{ .Values.bucket }}" is a placeholder; `},
		{"owner-data", "$BUCKET", `"$BUCKET" is a placeholder; `},
		{"owner-data", `"%BUCKET%"`, `"%BUCKET%" is a placeholder; `},
		{"owner-data", "{{ .Values.bucket }}", `12: not YAML: could not find flow map content; if this is a template, render it first`},
		{`"111111111111"`, "<owner account>", `"<owner account>" is a placeholder; `},
		{"s3://consumer-state", "s3://REPLACE_WITH_BUCKET", `1: state: "s3://REPLACE_WITH_BUCKET/syncd/" contains the placeholder "REPLACE_WITH_BUCKET"; `},
		{"s3://consumer-state", "s3://<bucket>", `1: state: "s3://<bucket>/syncd/" contains the placeholder "<bucket>"; `},
		{"arn:aws:iam::222222222222:role/r", "arn:aws:iam::<account>:role/r", `8: roles.r.arn: "arn:aws:iam::<account>:role/r" contains the placeholder "<account>"; `},
		{"session_name: syncd", "session_name: CHANGE_ME", `"CHANGE_ME" is a placeholder; `},
		{"prefix: a/", "prefix: " + strings.Repeat("a", 1024), `12: mappings[0].source.prefix: is 1024 bytes long, but a key has at most 1024; shorten it`},
		{"prefix: a/", "prefix: REPLACE_WITH_PREFIX/", `contains the placeholder "REPLACE_WITH_PREFIX"; `},
		{"an-external-id", "REPLACE_WITH_EXTERNAL_ID", `8: roles.r.external_id: is the placeholder that syncd policy writes for an external id: replace it with the external id`},
		{"an-external-id", `"${EXTERNAL_ID}"`, `8: roles.r.external_id: is a placeholder; put the real value in its place`},
		{"an-external-id", `{file: "<file>"}`, `8: roles.r.external_id.file: is a placeholder; put the real value in its place`},
		{"an-external-id", `"[redacted]"`, `8: roles.r.external_id: is the placeholder that syncd config show writes for an external id: replace it with the external id`},
	} {
		if !strings.Contains(full, tt.old) {
			t.Fatalf("%q is not in the configuration", tt.old)
		}
		_, err := config.Parse([]byte(strings.Replace(full, tt.old, tt.value, 1)), "syncd.yaml")
		faults, ok := errors.AsType[*fault.Faults](err)
		if !ok || len(*faults) != 1 || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got\n%v\nwant one fault with\n%s", tt.value, err, tt.want)
		}
	}
}

// TestWarnings checks values that are accepted, with or without a warning.
func TestWarnings(t *testing.T) {
	for _, tt := range []struct{ old, value, want string }{
		{"us-west-2", "us-west-9", `12: mappings[0].source.region: "us-west-9" is not a region that this version knows; did you mean us-west-1?; a region that is newer than this version works too`},
		{"us-west-2", "sa-amazon-1", `"sa-amazon-1" is not a region that this version knows; use a code such as us-west-2; a region that`},
		{"us-west-2", "us-gov-central-1", `is not a region that this version knows`},
		{"us-west-2", "cn-south-1", `is not a region that this version knows`},
		{"us-west-2", "us-gov-east-1", ""},
		{`us-west-2, account: "111111111111", role: r, endpoint_url: ""`, `us-wst-2, account: "111111111111", role: r, endpoint_url: "https://s3.example.net/s3"`, ""},
		{`us-west-2, account: "111111111111", role: r, endpoint_url: ""`, `us, account: "111111111111", role: r, endpoint_url: "https://s3.example.net"`, ""},
		{"syncd/", "<team>/", `1: state: "s3://consumer-state/<team>/" contains the placeholder "<team>"; put the real value in its place, unless it is intended`},
		{"prefix: a/", "prefix: <tenant>/", `12: mappings[0].source.prefix: "<tenant>/" contains the placeholder "<tenant>"; put the real value in its place, unless it is intended`},
		{`role: r, endpoint_url: ""`, `role: r, endpoint_url: "https://owner-data.minio.example.net"`, `12: mappings[0].source.endpoint_url: begins with the name of the bucket, but syncd adds the bucket to every request; `},
		{`role: r, endpoint_url: ""`, `role: r, endpoint_url: "https://s3.eu-west-1.amazonaws.com"`, `12: mappings[0].source.endpoint_url: is the endpoint of eu-west-1, but the bucket is in us-west-2; `},
		{`role: r, endpoint_url: ""`, `role: r, endpoint_url: "https://s3.dualstack.us-west-2.amazonaws.com"`, ""},
		{`role: r, endpoint_url: ""`, `role: r, endpoint_url: "https://s3-accelerate.amazonaws.com"`, ""},
		{"exclude: [x]", `exclude: ["{{a,b},c}/*"]`, ""},
		{"owner-data", "changes-of-owner", ""},
		{"127.0.0.1:9090", "syncd.example.com:9090", ""},
		{"127.0.0.1:9090", "[::1]:9090", ""},
		{"session_name: syncd", `endpoint_url: "https://sts-fips.us-west-2.amazonaws.com"`, ""},
		{"session_name: syncd", `endpoint_url: "https://vpce-1a2b-3c4d.sts.us-west-2.vpce.amazonaws.com"`, ""},
	} {
		c, err := config.Parse([]byte(strings.Replace(full, tt.old, tt.value, 1)), "syncd.yaml")
		if err != nil {
			t.Errorf("%s: got %v, want it accepted", tt.value, err)
			continue
		}
		if got := c.Warnings().Error(); (got != "") != (tt.want != "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got warnings %q, want %q", tt.value, got, tt.want)
		}
	}
}
