package main

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"syncd/internal/awsfake"
)

// TestKillDuringLargeCopy checks that after the real process was killed while it copied a large
// object in parts, the next process resumes the same upload and copies again at most the parts that
// were in flight.
func TestKillDuringLargeCopy(t *testing.T) {
	const flight = 4
	for _, tt := range []struct {
		name, operation string
		size, part      int64
		site            func(*testing.T, string) *site
	}{
		{"server-side", "UploadPartCopy", 5<<30 + 1, 256 << 20, func(t *testing.T, section string) *site {
			t.Helper()
			return newSite(t, func(text string) string { return text + section })
		}},
		{"relay", "UploadPart", 512 << 20, 8 << 20, func(t *testing.T, section string) *site {
			t.Helper()
			s := newSite(t, func(text string) string { return twoRoles(text) + section })
			s.addReader()
			return s
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.site(t, fmt.Sprintf("    copy: {concurrency: %d}\n", flight))
			original := s.Source.Put("large", awsfake.SyntheticBody(tt.size, 7), awsfake.PutOptions{})
			s.Cloud.SetLatency(30 * time.Millisecond)
			parts := (tt.size + tt.part - 1) / tt.part
			made := func() int64 { return s.Cloud.Requests()[tt.operation] }

			var stdout, stderr lockedBuffer
			killed := s.start(t, &stdout, &stderr, "backfill")
			eventually(t, "half of the parts are made", func() bool { return made() >= parts/2 })
			if err := killed.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if code := exitStatus(t, killed); code != -1 {
				t.Fatalf("got exit %d, want death by signal; stderr:\n%s", code, stderr.String())
			}
			before := made()

			got := s.run(t.Context(), "backfill", "--json")
			if summary := lastLine(t, got.stdout); got.code != 0 || summary.Copied != 1 {
				t.Fatalf("got exit %d, %+v, want the object copied; stderr:\n%s", got.code, summary, got.stderr)
			}
			t.Logf("killed after %d of %d parts, %d made again", before, parts, made()-parts)
			if again := made() - parts; again > flight {
				t.Errorf("got %d parts copied again, want at most the %d in flight", again, flight)
			}
			if n := s.Cloud.Requests()["CreateMultipartUpload"]; n != 1 || s.Destination.Uploads() != 0 {
				t.Errorf("got %d uploads begun and %d left, want 1 and none", n, s.Destination.Uploads())
			}
			if copied, ok := s.Destination.Object("large"); !ok || copied.Checksum != original.Checksum || copied.Size != original.Size {
				t.Errorf("got the copy %+v, want the content of %+v", copied, original)
			}
		})
	}
}
