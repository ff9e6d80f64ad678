package accesstest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/config/secret"
)

// WithoutExternalID removes external_id from a role of the configuration.
func WithoutExternalID(c *config.Config, role string) {
	r := c.Roles[role]
	r.ExternalID = secret.ExternalID{}
	c.Roles[role] = r
}

// WithNoExternalID sets external_id of a role to none.
func WithNoExternalID(c *config.Config, role string) {
	r := c.Roles[role]
	r.ExternalID = secret.NoExternalID()
	c.Roles[role] = r
}

// Golden checks that the file at path contains got. If update is true, it writes the file instead.
func Golden(t *testing.T, update bool, path string, got []byte) {
	t.Helper()
	if update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", path, diff)
	}
}

// EncodedIn returns, as JSON, the arguments of all jsonencode calls in a Terraform text. It
// replaces each reference to the Terraform variable of an ExternalId with variable, in which $1
// stands for the role's name.
func EncodedIn(text, variable string) (bodies []string) {
	for _, m := range regexp.MustCompile(`(?s)jsonencode\((.*?\n  )?\}\)`).FindAllString(text, -1) {
		body := strings.TrimSuffix(strings.TrimPrefix(m, "jsonencode("), ")")
		body = strings.NewReplacer("$${", "${", "%%{", "%{").Replace(body)
		body = regexp.MustCompile(`= var\.external_id_([A-Za-z0-9_-]+)`).ReplaceAllString(body, "= "+variable)
		body = regexp.MustCompile(`(?m)^( *)(?:([A-Za-z_][\w-]*)|("(?:[^"\\]|\\.)*")) += `).ReplaceAllStringFunc(body, func(s string) string {
			name := strings.TrimSuffix(strings.TrimSpace(s), "=")
			if name = strings.TrimSpace(name); !strings.HasPrefix(name, `"`) {
				name = `"` + name + `"`
			}
			return name + ": "
		})
		body = regexp.MustCompile(`([^\[{,\s])\n( *[^\]} ])`).ReplaceAllString(body, "$1,\n$2")
		body = regexp.MustCompile(`\\U([0-9a-f]{8})`).ReplaceAllStringFunc(body, func(s string) string {
			n, _ := strconv.ParseInt(s[2:], 16, 32)
			return string(rune(n))
		})
		bodies = append(bodies, body)
	}
	return bodies
}

// ManyMappings returns a configuration with n mappings between two buckets.
func ManyMappings(t *testing.T, n int, prefix string) *config.Config {
	t.Helper()
	var text strings.Builder
	text.WriteString("state: file:state\nroles: {r: {arn: \"arn:aws:iam::222222222222:role/r\"}}\nmappings:\n")
	for i := range n {
		p := fmt.Sprintf(prefix, i)
		fmt.Fprintf(&text, "  - name: m%d\n    source: {bucket: owner-data, prefix: %q, region: us-west-2, account: \"111111111111\", role: r}\n", i, p)
		fmt.Fprintf(&text, "    destination: {bucket: consumer-copy, prefix: %q, region: us-west-2, account: \"222222222222\", role: r, kms_key: %q}\n", p, ExampleKey)
	}
	return Parse(t, text.String())
}
