package assembly

import (
	"strings"
	"testing"

	"syncd/config"
)

func TestSame(t *testing.T) {
	const text = `state: file:state
roles:
  hub: {arn: "arn:aws:iam::333333333333:role/hub"}
  consumer: {arn: "arn:aws:iam::222222222222:role/consumer", via: hub, external_id: some-id}
  other: {arn: "arn:aws:iam::222222222222:role/other"}
mappings:
  - name: m
    source: {bucket: owner-data, region: us-west-2, account: "111111111111", role: consumer}
    destination: {bucket: consumer-copy, region: us-west-2, account: "222222222222", role: consumer, kms_key: "arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d"}
    schedule: "CRON_TZ=Europe/Zurich 0 4 * * *"
    filter: {include: ["**"]}
`
	load := func(edit ...string) *config.Config {
		t.Helper()
		c, err := config.Parse([]byte(strings.NewReplacer(edit...).Replace(text)), "syncd.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	former := load()
	tests := []struct {
		name string
		edit []string
		want bool
	}{
		{"nothing", nil, true},
		{"a role it does not use", []string{"role/other", "role/another"}, true},
		{"its role's external id", []string{"some-id", "other-id"}, false},
		{"the role that its role goes through", []string{"role/hub", "role/hub-2"}, false},
		{"its schedule", []string{"0 4", "0 5"}, false},
		{"its filter", []string{`["**"]`, `["*"]`}, false},
		{"how long a drain may take", []string{"state:", "drain_timeout: 9s\nstate:"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			next := load(tt.edit...)
			if got := same(former, former.Mappings[0], next, next.Mappings[0]); got != tt.want {
				t.Errorf("got the same %v, want %v", got, tt.want)
			}
		})
	}
}

// TestUnchangeable checks that changes of settings that need a restart are reported with their line
// and a hint.
func TestUnchangeable(t *testing.T) {
	const text = `state: s3://consumer-state/syncd/
http: {listen: "127.0.0.1:0"}
log: {level: info}
control: {socket: /run/syncd/control.sock}
checkpoint: {role: writer, lease: 30s}
aws: {path_style: false}
drain_timeout: 25s
roles:
  writer: {arn: "arn:aws:iam::222222222222:role/writer"}
mappings:
  - name: a
    source: {bucket: owner-data, region: us-east-1, account: "111111111111"}
    destination: {bucket: consumer-copy, region: us-east-1, account: "222222222222", kms_key: "arn:aws:kms:us-east-1:222222222222:key/1a2b"}
`
	parse := func(text string, checks ...config.Check) (*config.Config, error) {
		return config.Parse([]byte(text), "f", checks...)
	}
	former, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	const restart = "cannot change without a restart; restart syncd, or "
	for name, tt := range map[string]struct{ old, changed, want string }{
		"nothing":          {"state", "state", ""},
		"drain_timeout":    {"25s", "24s", ""},
		"state":            {"/syncd/\n", "/other/\n", "f:1: state: " + restart + "restore the former value"},
		"http":             {"127.0.0.1:0", "127.0.0.1:1", "f:2: http: " + restart},
		"log":              {"level: info", "level: debug", "f:3: log: " + restart},
		"control":          {"/run/syncd/control.sock", "off", "f:4: control: " + restart},
		"checkpoint":       {"30s", "31s", "f:5: checkpoint: " + restart},
		"another role":     {"role: writer", "account: \"222222222222\"", "f:5: checkpoint: " + restart},
		"the state's role": {"role/writer", "role/keeper", "f:9: roles.writer: writes the state, and " + restart},
		"its region":       {"consumer-copy, region: us-east-1", "consumer-copy, region: us-west-2", "f:5: checkpoint.region: is the region of the first mapping, and " + restart + "set it to us-east-1 to keep it"},
		"its endpoint":     {"path_style: false", "path_style: true", "f:6: aws: has the endpoint of the state, and " + restart},
		"one at fault":     {"/syncd/\n", "/ /../\n", "f:1: state: "},
	} {
		next := strings.Replace(text, tt.old, tt.changed, 1)
		if name == "its region" {
			next = strings.Replace(next, "kms:us-east-1", "kms:us-west-2", 1)
		}
		_, err := parse(next, refuseUnchangeable(former))
		if (err == nil) != (tt.want == "") || err != nil && (!strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: got %v, want one fault that begins with %q", name, err, tt.want)
		}
	}
}
