package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"syncd/internal/syncer"
)

// TestShareScoped checks that passes work in sessions that are scoped to their mapping, in each way
// of sharing that is compatible with such sessions.
func TestShareScoped(t *testing.T) {
	for _, way := range []string{"owner-role", "account", "role", "org", "abac"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			x := newSharing(t, way)
			// The role of a state on S3 serves all mappings, so its session cannot be scoped to one
			// mapping. The test therefore uses a state in a folder.
			x.text = regexp.MustCompile(`(?m)^checkpoint:\n(  .*\n)+`).ReplaceAllString(x.text, "")
			x.text = regexp.MustCompile(`(?m)^state: s3:.*$`).ReplaceAllString(x.text, "state: file:"+filepath.Join(x.dir, "state"))
			x.text = regexp.MustCompile(`(?m)^    arn: .*$`).ReplaceAllString(x.text, "$0\n    session_policy: scoped")
			if !strings.Contains(x.text, "scoped") {
				t.Fatalf("got the configuration\n%s\nwant its sessions scoped", x.text)
			}
			x.configure(t)
			x.put("", 11<<20)
			x.checkPasses(t, syncer.Summary{Listed: 4, Copied: 4})
			x.checkCopies(t)
			x.checkPasses(t, syncer.Summary{Listed: 4, Unchanged: 4})
		})
	}
}
