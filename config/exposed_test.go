package config_test

import (
	"fmt"
	"strings"
	"testing"

	"syncd/config"
)

// TestExposedAtASide checks that syncd rejects an unencrypted endpoint of a side if a role without
// endpoint_url would be assumed there, directly or through a chain.
func TestExposedAtASide(t *testing.T) {
	const (
		roles    = "roles: {r: {arn: \"arn:aws:iam::333333333333:role/r\"}, s: {arn: \"arn:aws:iam::333333333333:role/s\", via: r}}\n"
		plain    = "endpoint_url: \"http://minio.example.net:9000\","
		readable = "is http://, and roles are assumed there"
	)
	for name, tt := range map[string]struct{ head, state, source, destination, want string }{
		"destination":         {roles, "", "", "role: r, " + plain, "mappings[0].destination.endpoint_url"},
		"source":              {roles, "", "role: r, " + plain, "", "mappings[0].source.endpoint_url"},
		"a chain through it":  {roles, "", "", "role: s, " + plain, "mappings[0].destination.endpoint_url"},
		"state":               {roles + "checkpoint: {role: r, " + plain + "}\n", "s3://consumer-state/syncd/", "", "", "checkpoint.endpoint_url"},
		"all sides":           {roles + "aws: {" + plain + "}\n", "", "role: r, ", "", "aws.endpoint_url"},
		"allowed":             {roles + "aws: {allow_http: true}\n", "", "", "role: r, " + plain, ""},
		"another side at AWS": {roles, "", "role: r, ", "role: r, " + plain, ""},
		"state at AWS":        {roles + "checkpoint: {role: r}\n", "s3://consumer-state/syncd/", "", "role: r, " + plain, ""},
		"no role":             {roles, "", "", plain, ""},
		"this machine":        {roles, "", "", "role: r, endpoint_url: \"http://localhost:9000\",", ""},
		"an STS of its own": {
			"roles: {r: {arn: \"arn:aws:iam::333333333333:role/r\", endpoint_url: \"https://sts.example.net\"}}\n",
			"", "", "role: r, " + plain, "",
		},
	} {
		text := strings.NewReplacer("{bucket: owner-data,", "{bucket: owner-data, "+tt.source, "{bucket: consumer-copy,", "{bucket: consumer-copy, "+tt.destination).
			Replace(manyMappings([]string{""}))
		if tt.state != "" {
			text = strings.Replace(text, "file:state", tt.state, 1)
		}
		_, err := config.Parse([]byte(tt.head+text), "syncd.yaml")
		switch got := fmt.Sprint(err); {
		case tt.want == "" && err != nil:
			t.Errorf("%s: got %v, want no fault", name, err)
		case tt.want != "" && (strings.Count(got, "\n") > 0 || !strings.Contains(got, tt.want+": "+readable)):
			t.Errorf("%s: got %v, want only a fault of %s", name, err, tt.want)
		}
	}
}
