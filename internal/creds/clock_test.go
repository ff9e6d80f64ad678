package creds_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/config/value"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
)

// skewed returns a world in which this machine's clock is ahead of the services' clock by ahead.
func skewed(t *testing.T, ahead time.Duration) (w *world, log *bytes.Buffer) {
	t.Helper()
	cloud := awsfake.New(awsfake.Options{Now: func() time.Time { return time.Now().Add(-ahead) }, OneClock: true})
	w, log = newWorldIn(t, cloud), new(bytes.Buffer)
	w.options.Logger, w.options.Shared = slog.New(slog.NewTextHandler(log, nil)), new(creds.Shared)
	return w, log
}

// TestClockThatIsWrong checks that a role and ambient credentials work for three hours on a machine
// with a wrong clock.
func TestClockThatIsWrong(t *testing.T) {
	for _, ahead := range []time.Duration{65 * time.Minute, -65 * time.Minute, 20 * time.Minute, 40 * 24 * time.Hour, -40 * 24 * time.Hour} {
		for _, role := range []string{"syncd", ""} {
			synctest.Test(t, func(t *testing.T) {
				w, log := skewed(t, ahead)
				agent := w.podIdentity(t)
				set := w.open(t)
				client := w.client(t, set, role)
				for range 18 {
					if err := list(t.Context(), client); err != nil {
						t.Fatalf("ahead by %s, role %q: %v", ahead, role, err)
					}
					time.Sleep(10 * time.Minute)
				}
				// The role is assumed about once per hour. The limit is twice that, because the
				// first ambient credentials may be used before the skew is known.
				if n := w.assumed() - int64(agent.asked); role != "" && n > 2*4 {
					t.Errorf("ahead by %s: got %d calls of AssumeRole in three hours, want about one per hour", ahead, n)
				}
				if agent.asked > 6 {
					t.Errorf("ahead by %s, role %q: got %d requests for credentials in three hours, want about one per hour", ahead, role, agent.asked)
				}
				if got, ok := set.Skew(); !ok || (got-ahead).Abs() > 2*time.Second || !creds.Skewed(got) {
					t.Errorf("ahead by %s: got skew %s, %v", ahead, got, ok)
				}
				if n := strings.Count(log.String(), "clock skew"); n < 2 || n > 4 {
					t.Errorf("ahead by %s: got %d warnings in three hours, want one per hour:\n%s", ahead, n, log)
				}
				if end, ok := set.Expiry("syncd"); ok && (time.Until(end)+ahead > time.Hour || time.Until(end)+ahead < -10*time.Minute) {
					t.Errorf("ahead by %s: got the expiry %s, want it in AWS time", ahead, end)
				}
			})
		}
	}
}

// TestClockThatIsRight checks that a correct clock is not logged.
func TestClockThatIsRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, log := skewed(t, 3*time.Second)
		set := w.open(t)
		if got, ok := set.Skew(); ok {
			t.Errorf("got skew %s before any answer", got)
		}
		if err := list(t.Context(), w.client(t, set, "syncd")); err != nil {
			t.Fatal(err)
		}
		if got, ok := set.Skew(); !ok || creds.Skewed(got) || log.Len() > 0 {
			t.Errorf("got skew %s, %v and the log %q, want a small skew and an empty log", got, ok, log)
		}
	})
}

// TestHeadOnAWrongClock checks a first request whose refusal has no code, because it is a HEAD.
func TestHeadOnAWrongClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := skewed(t, time.Hour)
		client := w.client(t, w.open(t), "")
		w.bucket.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
		if _, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("data"), Key: aws.String("k")}); err != nil {
			t.Errorf("got %v, want the request signed again with the service's time", err)
		}
	})
}

// stamped changes the responses of STS.
type stamped struct {
	next   http.RoundTripper
	change func(header http.Header, body string) string
}

func (s stamped) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := s.next.RoundTrip(r)
	if err != nil || !strings.Contains(r.Header.Get("Authorization"), "/sts/") {
		return res, err
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		return nil, err
	}
	header := res.Header
	changed := reply(r, res.StatusCode, s.change(header, text.String()))
	changed.Header = header
	changed.Header.Del("Content-Length")
	return changed, nil
}

// TestSessionsOfOddAnswers checks how often sessions are renewed if STS returns an impossible
// expiry, no Date, or a shorter session than requested.
func TestSessionsOfOddAnswers(t *testing.T) {
	expiration := regexp.MustCompile(`<Expiration>[^<]*</Expiration>`)
	ends := func(after time.Duration) func(http.Header, string) string {
		return func(_ http.Header, body string) string {
			return expiration.ReplaceAllString(body, "<Expiration>"+time.Now().Add(after).UTC().Format(time.RFC3339)+"</Expiration>")
		}
	}
	for name, tt := range map[string]struct {
		change func(http.Header, string) string
		least  int64 // sessions in two hours
		most   int64
		skewed bool
	}{
		"ended already":      {ends(-5 * time.Minute), 3, 3, true},
		"ends in years":      {ends(9000 * time.Hour), 3, 3, false},
		"ends in 20 minutes": {ends(20 * time.Minute), 7, 9, false},
		"no date":            {func(h http.Header, body string) string { h.Del("Date"); return body }, 3, 3, false},
		"a cached date":      {func(h http.Header, body string) string { h.Set("Age", "9"); return body }, 3, 3, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, log := skewed(t, 0)
			w.set("syncd", func(r *config.Role) { r.Duration = value.Duration(time.Hour) })
			w.options.HTTPClient = &http.Client{Transport: stamped{w.cloud.RoundTripper(), tt.change}}
			set := w.open(t)
			client := w.client(t, set, "syncd")
			for range 4 * 120 {
				if err := list(t.Context(), client); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				time.Sleep(15 * time.Second)
			}
			if n := w.assumed(); n < tt.least || n > tt.most {
				t.Errorf("%s: got %d sessions in two hours, want %d to %d", name, n, tt.least, tt.most)
			}
			if warned := strings.Contains(log.String(), "clock skew"); warned != tt.skewed {
				t.Errorf("%s: got the log %q, want a warning of the clock: %v", name, log, tt.skewed)
			}
		})
	}
}

// slowly is a body whose end arrives late, like the response to CopyObject: S3 sends the header
// immediately, and the result when the copy is done.
type slowly struct {
	io.Reader
	after time.Duration
}

func (s *slowly) Read(p []byte) (int, error) {
	time.Sleep(s.after)
	s.after = 0
	return s.Reader.Read(p)
}

func (*slowly) Close() error { return nil }

// TestClockWhileACopyIsMade checks that the skew is measured when the response begins, not when it
// ends.
func TestClockWhileACopyIsMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, log := skewed(t, 0)
		w.options.HTTPClient = &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
			answer := reply(r, http.StatusOK, "")
			answer.Header = http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}, "X-Amz-Request-Id": {"R"}, "Content-Type": {"application/xml"}}
			text := `<CopyObjectResult><ETag>"e"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></CopyObjectResult>`
			answer.Body, answer.ContentLength = &slowly{strings.NewReader(text), 20 * time.Minute}, -1
			return answer, nil
		})}
		set := w.open(t)
		_, err := w.client(t, set, "").CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), CopySource: aws.String("data/a")})
		if got, ok := set.Skew(); err != nil || !ok || creds.Skewed(got) || log.Len() > 0 {
			t.Errorf("got %v, skew %s, %v and the log %q, want no skew although the copy took long", err, got, ok, log)
		}
	})
}
