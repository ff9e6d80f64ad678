package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/demo"
)

// severalSite returns a site with mappings a, b and c.
func severalSite(t *testing.T) *site {
	t.Helper()
	return newSite(t, func(text string) string {
		head, mapping, _ := strings.Cut(text, "  - name:")
		mapping = "  - name:" + mapping
		for _, name := range []string{"a", "b", "c"} {
			head += strings.NewReplacer("name: "+demo.Mapping, "name: "+name, "bucket: "+demo.Copy, "bucket: "+demo.Copy+", prefix: "+name+"/").Replace(mapping)
		}
		return head
	})
}

// TestStatusShowsOtherLedgers checks that status shows an unreadable ledger as a row, shows all
// other ledgers, and exits with 1.
func TestStatusShowsOtherLedgers(t *testing.T) {
	s := severalSite(t)
	for i := range 3 {
		s.Source.Put(fmt.Sprintf("k%d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	heal := s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "c/k1", Kind: awsfake.AccessDenied})
	if got := s.run(t.Context(), "backfill", "--mapping", "a", "--mapping", "c"); got.code != 3 {
		t.Fatalf("got exit %d; stderr:\n%s", got.code, got.stderr)
	}
	heal()
	table := s.run(t.Context(), "plan")
	if table.code != 0 || !regexp.MustCompile(`(?s)^MAPPING.*\nc +quarantined .*\nb +first +3 .*\na +ok .*\ntotal +3 .*\n3 mappings: `).MatchString(table.stdout) {
		t.Errorf("plan of all: got exit %d\n%s%s", table.code, table.stdout, table.stderr)
	}
	if got := s.run(t.Context(), "plan", "--list"); !strings.Contains(got.stdout, "b  copy        missing                  1  \"k0\"\n") {
		t.Errorf("plan --list of all: got\n%s", got.stdout)
	}
	if got := s.run(t.Context(), "plan", "--mapping", "b"); !strings.HasPrefix(got.stdout, "pass 1 of b would list 3 objects\n") {
		t.Errorf("plan of one: got\n%s", got.stdout)
	}
	if got := s.run(t.Context(), "plan", "--json"); strings.Count(got.stdout, "\n") != 1 || !strings.HasPrefix(got.stdout, `{"plans":[{"mapping":"a"`) {
		t.Errorf("plan --json of all: got\n%s", got.stdout)
	}

	manifests, err := filepath.Glob(filepath.Join(s.dir, "state", "a", "manifest-*"))
	if err != nil || len(manifests) == 0 {
		t.Fatalf("got manifests %v, %v", manifests, err)
	}
	for _, name := range manifests { // a link to itself cannot be read, but is not damaged
		if err := errors.Join(os.Remove(name), os.Symlink(name, name)); err != nil {
			t.Fatal(err)
		}
	}
	got := s.run(t.Context(), "status")
	if got.code != 1 || !regexp.MustCompile(`(?s)^MAPPING.*\na +unreadable .*\nc +quarantined .*\nb +never .*\ntotal .*\n3 mappings: `).MatchString(got.stdout) ||
		!strings.Contains(got.stderr, "syncd: mapping a: ") {
		t.Errorf("status of all: got exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	got = s.run(t.Context(), "status", "--json")
	if lines := strings.Split(got.stdout, "\n"); got.code != 1 || len(lines) != 4 || !strings.Contains(lines[0], `"mapping":"a"`) || !strings.Contains(lines[0], `"error":"`) ||
		strings.Contains(lines[1]+lines[2], "error") {
		t.Errorf("status --json: got exit %d\n%s", got.code, got.stdout)
	}
	got = s.run(t.Context(), "status", "--quarantine")
	if got.code != 1 || !strings.HasPrefix(got.stdout, `c  denied  "k1"`) {
		t.Errorf("status --quarantine: got exit %d\n%s", got.code, got.stdout)
	}
	got = s.run(t.Context(), "status", "--mapping", "a")
	if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, "syncd: mapping a: ") {
		t.Errorf("status of the one: got exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// TestStatusStopsAtUnreadableState checks that status stops at the first mapping if the whole state
// is unreadable.
func TestStatusStopsAtUnreadableState(t *testing.T) {
	s := severalSite(t)
	text := regexp.MustCompile(`(?m)^state: .*$`).ReplaceAllString(string(readText(t, s.config)), "state: s3://no-such-bucket/syncd/")
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := s.run(t.Context(), "status")
	if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, "syncd: mapping a: ") || strings.Contains(got.stderr, "mapping b") ||
		!strings.Contains(got.stderr, "syncd: 2 mappings not read, because the state could not be read\n") {
		t.Errorf("got exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}
