package lint_test

import (
	"slices"
	"strings"
	"testing"

	"syncd/internal/access/lint/document"
	"syncd/internal/access/lint/rule"
	"syncd/internal/access/policy"
)

func finds(findings []rule.Finding, id string) bool {
	return slices.ContainsFunc(findings, func(f rule.Finding) bool { return f.ID == id })
}

// TestUserNameOfPolicyTarget checks that ${aws:username} is reported in the identity policy of a
// role, but not in that of a user, because a role session has no user name.
func TestUserNameOfPolicyTarget(t *testing.T) {
	const text = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::owner-data/${aws:username}/*"}}`
	for target, want := range map[string]bool{
		"arn:aws:iam::222222222222:role/syncd": true, "arn:aws:iam::222222222222:user/worker": false, "": false,
	} {
		r := check(t, document.File{Name: "a.json", Data: []byte(text), Target: target})
		if got := finds(r.Findings, "SYNCD-P213"); got != want {
			t.Errorf("of %q: got found %v, want %v", target, got, want)
		}
	}
}

// TestOwnRootMayWrite checks that the root of the bucket's own account may write without a finding.
// The check finds that account in the configuration.
func TestOwnRootMayWrite(t *testing.T) {
	c, _ := shared(t, "one-role.yaml", policy.Options{})
	m := c.Mappings[0]
	for account, want := range map[string]bool{m.Destination.Account: false, "999999999999": true} {
		text := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "` + account + `"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::` +
			m.Destination.Bucket + `/*"}}`
		if got := finds(against(t, c, document.File{Name: "a.json", Data: []byte(text)}), "SYNCD-P313"); got != want {
			t.Errorf("account %s: got found %v, want %v", account, got, want)
		}
	}
}

// TestPrivateAddresses checks that rule SYNCD-P215 reports private addresses and CIDR blocks in
// aws:SourceIp, but neither public blocks nor blocks that are only partly private.
func TestPrivateAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"10.1.2.3": true, "10.0.0.0/8": true, "172.16.0.0/12": true, "172.31.255.255/32": true, "192.168.1.0/24": true, "100.64.0.0/10": true,
		"169.254.169.254": true, "127.0.0.1": true, "fd00::/8": true, "fe80::1": true, "::1": true,
		"8.0.0.0/6": false, "172.32.0.0/16": false, "192.0.2.1": false, "0.0.0.0/0": false, "2001:db8::/32": false, "100.128.0.0/16": false,
	} {
		text := `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*",
		  "Condition": {"NotIpAddress": {"aws:SourceIp": "` + address + `"}, "BoolIfExists": {"aws:ViaAWSService": "false"}}}}`
		r := check(t, document.File{Name: "a.json", Data: []byte(text)})
		if got := finds(r.Findings, "SYNCD-P215"); got != want {
			t.Errorf("%s: got found %v, want %v", address, got, want)
		}
		if !strings.Contains(address, "/") && finds(r.Findings, "SYNCD-P207") {
			t.Errorf("%s: got a bad value, want an address", address)
		}
	}
}
