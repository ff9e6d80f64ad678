package copier_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/plan"
)

// shown returns the head of an object as a HEAD request shows it.
func (w *world) shown(t *testing.T, bucket, key string) *s3.HeadObjectOutput {
	t.Helper()
	head, err := w.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// TestCopyShowsWhatItsSourceShows checks that HEAD requests for the source and its copy return the
// same properties.
func TestCopyShowsWhatItsSourceShows(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			size := w.size
			o := rich()
			o.Headers["Expires"] = "in due course"
			o.Metadata = map[string]string{
				"umlaut": "Grüße aus Köln", "japanese": "\u65e5\u672c\u8a9e", "emoji": "\U0001f600", "mixed": "plain and caf\u00e9, twice: caf\u00e9",
				"spaces": "two  and   three", "comma": "a,b, c", "long": strings.Repeat("x", 1000), "longer": strings.Repeat("\u00e9", 100), "empty": "",
			}
			object := w.put("k", awsfake.SyntheticBody(size, 1), o)
			w.mustCopy(t, object)
			from, to := w.shown(t, "owner-data", "k"), w.shown(t, "consumer-copy", "k")
			type kept struct {
				CacheControl, Disposition, Encoding, Language, Type, Expires string
				Length                                                       int64
				Metadata                                                     map[string]string
			}
			of := func(h *s3.HeadObjectOutput) kept {
				return kept{
					aws.ToString(h.CacheControl), aws.ToString(h.ContentDisposition), aws.ToString(h.ContentEncoding), aws.ToString(h.ContentLanguage),
					aws.ToString(h.ContentType), aws.ToString(h.ExpiresString), aws.ToInt64(h.ContentLength), h.Metadata,
				}
			}
			if diff := cmp.Diff(of(from), of(to)); diff != "" {
				t.Errorf("heads (-source +copy):\n%s", diff)
			}
		})
	}
}

// TestCopyOfTooMuchMetadata checks the error's reason for an object with more than 2 KB of
// metadata, which some services other than S3 allow.
func TestCopyOfTooMuchMetadata(t *testing.T) {
	for _, size := range []int64{10, 17 * mib} {
		w := newParted(t)
		w.relaying(64 * mib)
		object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{Metadata: map[string]string{"long": strings.Repeat("x", 2048)}})
		if _, err := w.copy(t, object); copier.Reason(err) != string(awserr.Invalid) {
			t.Errorf("%d bytes: got %v, reason %q, want %q", size, err, copier.Reason(err), awserr.Invalid)
		}
	}
}

// TestRelayOfUnencodedMetadata checks metadata beyond ASCII that the source returns in UTF-8. It
// must be encoded for S3, which would read it as ISO 8859-1, and left unchanged for other
// destinations.
func TestRelayOfUnencodedMetadata(t *testing.T) {
	const note = "gr\u00fc\u00dfe"
	for toS3, want := range map[bool]string{true: note, false: "gr\u00c3\u00bc\u00c3\u009fe"} {
		w := newWorld(t)
		w.relaying(64 * mib)
		w.options.ToS3 = func() bool { return toS3 }
		w.wire.change = func(res *http.Response) {
			if res.Request.Method == http.MethodGet {
				res.Header.Set("X-Amz-Meta-Note", note)
			}
		}
		if _, copied := w.mustCopy(t, w.putText("k", "x")); copied.Metadata["note"] != want {
			t.Errorf("to S3 %t: the copy has the note %q, want %q", toS3, copied.Metadata["note"], want)
		}
	}
}

func TestCopyDropsTheRedirect(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			size := w.size
			object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{WebsiteRedirect: "/elsewhere"})
			result, copied := w.mustCopy(t, object)
			var want []string
			if w.options.Relay || size > 5*mib {
				want = []string{copier.NoteRedirectDropped}
			}
			if diff := cmp.Diff(want, result.Notes); diff != "" || copied.WebsiteRedirect != "" {
				t.Errorf("got redirect %q, want none; notes (-want +got):\n%s", copied.WebsiteRedirect, diff)
			}
		})
	}
}

// longTags returns ten tags that do not fit in a header.
func longTags() map[string]string {
	tags := map[string]string{}
	for i := range 10 {
		tags[fmt.Sprint(i, strings.Repeat("\u00e9", 100))] = strings.Repeat("\u65e5", 200)
	}
	return tags
}

// TestCopyOfLongTags checks that tags too long for a header are set after the copy, on the version
// that was made.
func TestCopyOfLongTags(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			size := w.size
			object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{Tags: longTags()})
			result, copied := w.mustCopy(t, object)
			w.sameAsSource(t, "k", copied)
			late := w.wire.requests(http.MethodPut, "tagging")
			if size == 10 && !w.options.Relay {
				if len(late) != 0 {
					t.Errorf("got tags set after a copy that carries them over")
				}
				return
			}
			if len(late) != 1 || late[0].URL.Query().Get("versionId") != result.DestinationVersionID {
				t.Errorf("got %d requests for tags, want one, for version %s", len(late), result.DestinationVersionID)
			}
		})
	}
}

// TestCopyOfTagsTooLongForTheService checks that the tags are set after the copy if the service
// accepts only shorter headers than S3 and refuses the first request.
func TestCopyOfTagsTooLongForTheService(t *testing.T) {
	for _, size := range []int64{10, 17 * mib} {
		w := newParted(t)
		w.relaying(64 * mib)
		object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{Tags: map[string]string{"a": "b"}})
		w.wire.change = func(res *http.Response) {
			if res.Request.Header.Get("X-Amz-Tagging") != "" {
				refusal{http.StatusBadRequest, "RequestHeaderSectionTooLarge"}.replace(res)
			}
		}
		_, copied := w.mustCopy(t, object)
		if diff := cmp.Diff(map[string]string{"a": "b"}, copied.Tags); diff != "" {
			t.Errorf("%d bytes: tags (-want +got):\n%s", size, diff)
		}
	}
}

// TestCopyWithoutItsTagsFails checks that a copy fails if its tags cannot be set, although the
// content was copied.
func TestCopyWithoutItsTagsFails(t *testing.T) {
	for status, tt := range map[int]struct{ code, want, hint string }{
		http.StatusBadRequest:         {"InvalidTag", plan.TagOverflow, ""},
		http.StatusForbidden:          {"AccessDenied", "denied", "copy.tags: omit"},
		http.StatusServiceUnavailable: {"SlowDown", "throttled", ""},
		http.StatusNotFound:           {"NoSuchKey", plan.TagOverflow, ""},
	} {
		for _, size := range []int64{10, 17 * mib} {
			w := newParted(t)
			w.relaying(64 * mib)
			object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{Tags: longTags()})
			w.answerOnce(http.MethodPut, "tagging", refusal{status, tt.code}.replace)
			left := &uploadRecord{}
			result, err := w.copyWith(t, object, left)
			if copier.Reason(err) != tt.want || !strings.Contains(fmt.Sprint(err), tt.hint) {
				t.Errorf("%s: got %+v, %v, reason %q, want %q and the hint %q", tt.code, result, err, copier.Reason(err), tt.want, tt.hint)
			}
			if left.open || w.destination.Uploads() != 0 {
				t.Errorf("%s: got an upload left behind", tt.code)
			}
		}
	}
}

// TestCopyOfTagsThatCannotBeRead checks that the error has a hint if the tags cannot be read.
func TestCopyOfTagsThatCannotBeRead(t *testing.T) {
	w := newParted(t)
	object := w.putLarge(awsfake.PutOptions{})
	w.cloud.Inject(awsfake.Fault{Operation: "GetObjectTagging", Kind: awsfake.AccessDenied})
	_, err := w.copy(t, object)
	if copier.Reason(err) != "denied" || !strings.Contains(fmt.Sprint(err), `"copy.tags: omit"`) ||
		w.cloud.Requests()["CreateMultipartUpload"] != 0 {
		t.Errorf("got %v, reason %q after %v, want class denied with a hint, and nothing written", err, copier.Reason(err), w.cloud.Requests())
	}
}

// TestCopyOfAnObjectUnderItsOwnersKey checks the error for an object that is encrypted with a
// customer-provided key.
func TestCopyOfAnObjectUnderItsOwnersKey(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			size := w.size
			object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{SSEC: true})
			if _, err := w.copy(t, object); copier.Reason(err) != plan.SSEC {
				t.Errorf("got %v, reason %q, want %q", err, copier.Reason(err), plan.SSEC)
			}
		})
	}
}

func TestCopyOfAnArchivedObjectOfAnySize(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			size := w.size
			for _, o := range []awsfake.PutOptions{{StorageClass: "GLACIER"}, {StorageClass: "DEEP_ARCHIVE"}, {StorageClass: "INTELLIGENT_TIERING", ArchiveTier: true}} {
				object := w.put("k", awsfake.SyntheticBody(size, 1), o)
				if _, err := w.copy(t, object); copier.Reason(err) != string(awserr.Archived) || w.destination.Uploads() != 0 {
					t.Errorf("%s: got %v, reason %q, want %q", o.StorageClass, err, copier.Reason(err), awserr.Archived)
				}
				w.source.Restore("k")
				w.mustCopy(t, object)
				w.destination.Delete("k")
			}
		})
	}
}

// TestExpiryOnAHeadIsNotABadRequest checks that an expired session is distinguished from a
// malformed request. A HEAD request returns 400 without a body in both cases.
func TestExpiryOnAHeadIsNotABadRequest(t *testing.T) {
	w := newParted(t)
	object := w.putLarge(awsfake.PutOptions{})
	w.cloud.Inject(awsfake.Fault{Bucket: "owner-data", Kind: awsfake.ExpiredToken})
	if _, err := w.copy(t, object); !awserr.Fatal(err) {
		t.Errorf("got %v, class %q, want the mapping to end", err, awserr.Classify(err))
	}
}

// TestCopyKeepsTheStorageClass checks that a copy has the storage class of its source, or STANDARD
// if that class cannot be written.
func TestCopyKeepsTheStorageClass(t *testing.T) {
	classes := map[string]string{
		"": "STANDARD", "STANDARD": "STANDARD", "STANDARD_IA": "STANDARD_IA", "ONEZONE_IA": "ONEZONE_IA", "REDUCED_REDUNDANCY": "REDUCED_REDUNDANCY",
		"INTELLIGENT_TIERING": "INTELLIGENT_TIERING", "GLACIER_IR": "GLACIER_IR", "GLACIER": "GLACIER", "DEEP_ARCHIVE": "DEEP_ARCHIVE",
		"OUTPOSTS": "STANDARD", "SNOW": "STANDARD", "EXPRESS_ONEZONE": "STANDARD", "FSX_OPENZFS": "STANDARD", "what comes next": "STANDARD",
	}
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			size := w.size
			w.options.KeepStorageClass, w.options.StorageClass = true, "STANDARD_IA"
			for class, want := range classes {
				object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{})
				object.StorageClass = class
				w.destination.Delete("k")
				if _, copied := w.mustCopy(t, object); copied.StorageClass != want {
					t.Errorf("%q: got class %q, want %q", class, copied.StorageClass, want)
				}
			}
		})
	}
}

// TestCopyKeepsTheLock checks that retention and legal hold are copied only if enabled.
func TestCopyKeepsTheLock(t *testing.T) {
	until := time.Now().AddDate(1, 0, 0).UTC().Truncate(time.Second)
	for name, tt := range map[string]struct {
		lock, want awsfake.Lock
		asked      bool
	}{
		"retention":        {awsfake.Lock{Mode: awsfake.Governance, Until: until}, awsfake.Lock{Mode: awsfake.Governance, Until: until}, true},
		"hold":             {awsfake.Lock{LegalHold: true}, awsfake.Lock{LegalHold: true}, true},
		"both":             {awsfake.Lock{Mode: awsfake.Compliance, Until: until, LegalHold: true}, awsfake.Lock{Mode: awsfake.Compliance, Until: until, LegalHold: true}, true},
		"event hold":       {awsfake.Lock{EventHold: true}, awsfake.Lock{EventHold: true}, true},
		"its days":         {awsfake.Lock{EventHold: true, HoldDays: 30}, awsfake.Lock{EventHold: true, HoldDays: 30}, true},
		"its years":        {awsfake.Lock{EventHold: true, HoldYears: 7, LegalHold: true}, awsfake.Lock{EventHold: true, HoldYears: 7, LegalHold: true}, true},
		"has run out":      {awsfake.Lock{Mode: awsfake.Governance, Until: until.AddDate(-2, 0, 0)}, awsfake.Lock{}, true},
		"is not asked for": {awsfake.Lock{Mode: awsfake.Governance, Until: until}, awsfake.Lock{}, false},
		"there is none":    {awsfake.Lock{}, awsfake.Lock{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			for way, w := range ways(t) {
				t.Run(way, func(t *testing.T) {
					size := w.size
					w.lockable()
					w.options.ObjectLock = tt.asked
					object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{Lock: tt.lock})
					if _, copied := w.mustCopy(t, object); !cmp.Equal(copied.Lock, tt.want) {
						t.Errorf("got lock %+v, want %+v", copied.Lock, tt.want)
					}
				})
			}
		})
	}
}

// lockable gives the world two buckets with Object Lock.
func (w *world) lockable() {
	w.source = w.cloud.Account(consumer).CreateBucket("locked-data", region, awsfake.BucketOptions{ObjectLock: true})
	w.destination = w.cloud.Account(consumer).CreateBucket("locked-copy", region, awsfake.BucketOptions{ObjectLock: true})
	w.options.SourcePlace.Bucket, w.options.SourcePlace.Account, w.options.DestinationPlace.Bucket = "locked-data", consumer, "locked-copy"
}

// TestCopyWaitsForItsBytes checks that a copy waits for Options.Bytes for each of its bytes, and
// that it holds no slot while it waits.
func TestCopyWaitsForItsBytes(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			size := w.size
			gate := slots(1)
			limiter := &meteredBytes{idle: gate.idle}
			w.options.Slots, w.options.Bytes, w.options.PartSize = gate, limiter, 32*mib
			object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{})
			w.mustCopy(t, object)
			if limiter.n != size || limiter.busy {
				t.Errorf("waited for %d bytes, in a slot: %v, want %d without one", limiter.n, limiter.busy, size)
			}
			limiter.err = errors.New("no more bytes today")
			if _, err := w.copy(t, object); !errors.Is(err, limiter.err) || w.destination.Uploads() != 0 {
				t.Errorf("got %v, want the wait's error", err)
			}
		})
	}
}

type meteredBytes struct {
	idle func() bool
	n    int64
	busy bool
	err  error
}

func (m *meteredBytes) Wait(_ context.Context, n int64) error {
	m.n, m.busy = m.n+n, m.busy || !m.idle()
	return m.err
}
