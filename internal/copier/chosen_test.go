package copier_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/plan"
)

// TestCopyOfChosenTags checks, for every way of copying, that only tags whose keys exactly equal
// the chosen keys are copied.
func TestCopyOfChosenTags(t *testing.T) {
	for _, tt := range []struct {
		name string
		only []string
		tags map[string]string
		want map[string]string
	}{
		{"some", []string{"class", "team"}, map[string]string{"class": "export", "team": "a b+c", "expire": "now"}, map[string]string{"class": "export", "team": "a b+c"}},
		{"none of them", []string{"class"}, map[string]string{"expire": "now"}, nil},
		{"no tags", []string{"class"}, nil, nil},
		{"another case", []string{"class"}, map[string]string{"Class": "x", "CLASS": "y", " class": "z"}, nil},
		{"a prefix", []string{"class"}, map[string]string{"classes": "x", "cl": "y"}, nil},
		{"beyond ASCII", []string{"größe"}, map[string]string{"größe": "日本", "gro\u0308ße": "no"}, map[string]string{"größe": "日本"}},
		{"no value", []string{"class"}, map[string]string{"class": "", "x": ""}, map[string]string{"class": ""}},
	} {
		for way, w := range ways(t) {
			t.Run(tt.name+" "+way, func(t *testing.T) {
				w.options.OnlyTags = tt.only
				object := w.put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{Tags: tt.tags})
				w.cloud.ResetRequests()
				_, copied := w.mustCopy(t, object)
				if diff := cmp.Diff(tt.want, copied.Tags, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("tags (-want +got):\n%s", diff)
				}
				if n := w.cloud.Requests()["GetObjectTagging"]; n != 1 {
					t.Errorf("got %d reads of the tags, want 1", n)
				}
			})
		}
	}
}

// TestCopyOfChosenTagsIsTwoRequests checks that a copy in one piece with chosen tags takes two
// requests, without a HEAD, and a copy with all tags takes one.
func TestCopyOfChosenTagsIsTwoRequests(t *testing.T) {
	for _, tt := range []struct {
		change func(*copier.Options)
		want   map[string]int64
	}{
		{func(o *copier.Options) { o.OnlyTags = []string{"a"} }, map[string]int64{"GetObjectTagging": 1, "CopyObject": 1}},
		{func(o *copier.Options) { o.OnlyTags, o.OmitTags = []string{"a"}, true }, map[string]int64{"CopyObject": 1}},
		{func(*copier.Options) {}, map[string]int64{"CopyObject": 1}},
	} {
		w := newWorld(t)
		tt.change(&w.options)
		object := w.putText("k", "x")
		w.cloud.ResetRequests()
		w.mustCopy(t, object)
		if diff := cmp.Diff(tt.want, map[string]int64(w.cloud.Requests())); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	}
}

// TestChosenTagsOfASourceThatChanges checks that the tags are read again if a newer version is
// copied.
func TestChosenTagsOfASourceThatChanges(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			w.options.OnlyTags = []string{"class"}
			object := w.put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{Tags: map[string]string{"class": "old"}})
			next := "CopyObject" // the request after the tags were read; an overwrite before it makes these tags outdated
			switch {
			case w.size > 8*mib:
				next = "CreateMultipartUpload"
			case w.options.Relay:
				next = "GetObject"
			}
			w.cloud.Inject(awsfake.Fault{Operation: next, Times: 1, Do: func() {
				w.put("k", awsfake.SyntheticBody(w.size, 2), awsfake.PutOptions{Tags: map[string]string{"class": "new", "expire": "now"}})
			}})
			_, copied := w.mustCopy(t, object)
			if diff := cmp.Diff(map[string]string{"class": "new"}, copied.Tags); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
			if n := w.cloud.Requests()["GetObjectTagging"]; n != 2 {
				t.Errorf("got %d reads of the tags, want one for each version", n)
			}
		})
	}
}

// TestChosenTagsTooLongForAHeader checks that tags too long for a header are set after the copy:
// only the chosen tags, on the version that was made.
func TestChosenTagsTooLongForAHeader(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			want := longTags()
			for key := range want {
				w.options.OnlyTags = append(w.options.OnlyTags, key)
			}
			delete(want, w.options.OnlyTags[0])
			w.options.OnlyTags = w.options.OnlyTags[1:]
			object := w.put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{Tags: longTags()})
			result, copied := w.mustCopy(t, object)
			if diff := cmp.Diff(want, copied.Tags); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
			late := w.wire.requests(http.MethodPut, "tagging")
			if len(late) != 1 || late[0].URL.Query().Get("versionId") != result.DestinationVersionID {
				t.Errorf("got %d requests for tags, want one, for version %s", len(late), result.DestinationVersionID)
			}
		})
	}
}

// TestChosenTagsThatAreRefused checks that the tags are set late if the service accepts only
// shorter headers, and that the copy fails if the service accepts no tags.
func TestChosenTagsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.options.OnlyTags = []string{"a"}
	object := w.put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Tags: map[string]string{"a": "b", "c": "d"}})
	w.wire.change = func(res *http.Response) {
		if res.Request.Header.Get("X-Amz-Tagging") != "" {
			refusal{http.StatusBadRequest, "RequestHeaderSectionTooLarge"}.replace(res)
		}
	}
	_, copied := w.mustCopy(t, object)
	if diff := cmp.Diff(map[string]string{"a": "b"}, copied.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}

	w = newWorld(t)
	for key := range longTags() {
		w.options.OnlyTags = append(w.options.OnlyTags, key)
	}
	object = w.put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Tags: longTags()})
	w.answerOnce(http.MethodPut, "tagging", refusal{http.StatusBadRequest, "InvalidTag"}.replace)
	if result, err := w.copy(t, object); copier.Reason(err) != plan.TagOverflow {
		t.Errorf("got %+v, %v, want reason %q", result, err, plan.TagOverflow)
	}
}

// TestChosenTagsThatCannotBeRead checks that the copy is denied, with a hint, before anything is
// written.
func TestChosenTagsThatCannotBeRead(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			w.options.OnlyTags = []string{"a"}
			object := w.put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{Tags: map[string]string{"a": "b"}})
			w.cloud.Inject(awsfake.Fault{Operation: "GetObjectTagging", Kind: awsfake.AccessDenied})
			_, err := w.copy(t, object)
			if copier.Reason(err) != "denied" || !strings.Contains(err.Error(), `"copy.tags: omit"`) || len(w.destination.Keys()) > 0 {
				t.Errorf("got %v, want class denied with a hint, and nothing written", err)
			}
		})
	}
}

// TestUploadUnderOtherTagsIsNotResumed checks that an upload is not resumed if other tags are
// chosen, because an upload keeps the tags that it was begun with.
func TestUploadUnderOtherTagsIsNotResumed(t *testing.T) {
	for name, change := range map[string]func(*copier.Options){
		"other tags":        func(o *copier.Options) { o.OnlyTags = []string{"class"} },
		"another bound":     func(o *copier.Options) { o.ObjectLockMax = time.Hour * 24 },
		"another ACL":       func(o *copier.Options) { o.ACL = "bucket-owner-full-control" },
		"tags are the same": func(o *copier.Options) { o.OnlyTags = []string{"team", "expire"} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newParted(t)
			w.options.OnlyTags = []string{"expire", "team"}
			object := w.put("k", awsfake.SyntheticBody(17*mib, 1), awsfake.PutOptions{Tags: map[string]string{"class": "x", "expire": "now"}})
			left := &uploadRecord{}
			remove := w.cloud.Inject(awsfake.Fault{Operation: "CompleteMultipartUpload", Kind: awsfake.ExpiredToken})
			if _, err := w.copyWith(t, object, left); err == nil || !left.open {
				t.Fatalf("got %v, want an upload left behind", err)
			}
			remove()
			change(&w.options)
			result, err := w.copyWith(t, object, left)
			if err != nil || (result.Resumed > 0) != (name == "tags are the same") {
				t.Errorf("got %d parts resumed, %v", result.Resumed, err)
			}
			copied, _ := w.destination.Object("k")
			want := map[string]map[string]string{"other tags": {"class": "x"}}[name]
			if want == nil {
				want = map[string]string{"expire": "now"}
			}
			if diff := cmp.Diff(want, copied.Tags); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRetentionIsBounded checks that retention is limited. If an owner set a retention of a
// thousand years, the consumer would have to pay for the copy for that time, and could not delete
// it.
func TestRetentionIsBounded(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name    string
		lock    awsfake.Lock
		max     time.Duration
		want    awsfake.Lock
		shorter bool
	}{
		{"a thousand years", awsfake.Lock{Mode: awsfake.Compliance, Until: now.AddDate(1000, 0, 0)}, 10 * day, awsfake.Lock{Mode: awsfake.Compliance, Until: now.Add(10 * day)}, true},
		{"governance too", awsfake.Lock{Mode: awsfake.Governance, Until: now.AddDate(1, 0, 0)}, day, awsfake.Lock{Mode: awsfake.Governance, Until: now.Add(day)}, true},
		{"within", awsfake.Lock{Mode: awsfake.Compliance, Until: now.Add(9 * day)}, 10 * day, awsfake.Lock{Mode: awsfake.Compliance, Until: now.Add(9 * day)}, false},
		{"no bound", awsfake.Lock{Mode: awsfake.Compliance, Until: now.AddDate(1000, 0, 0)}, 0, awsfake.Lock{Mode: awsfake.Compliance, Until: now.AddDate(1000, 0, 0)}, false},
		{"legal hold has no end", awsfake.Lock{LegalHold: true}, day, awsfake.Lock{LegalHold: true}, false},
		{"event hold of days", awsfake.Lock{EventHold: true, HoldDays: 400}, 365 * day, awsfake.Lock{EventHold: true, HoldDays: 365}, true},
		{"event hold of years", awsfake.Lock{EventHold: true, HoldYears: 1000}, 3650 * day, awsfake.Lock{EventHold: true, HoldDays: 3650}, true},
		{"event hold within", awsfake.Lock{EventHold: true, HoldYears: 10}, 3650 * day, awsfake.Lock{EventHold: true, HoldYears: 10}, false},
		{"no lock", awsfake.Lock{}, day, awsfake.Lock{}, false},
	} {
		for way, w := range ways(t) {
			t.Run(tt.name+" "+way, func(t *testing.T) {
				w.lockable()
				w.options.ObjectLock, w.options.ObjectLockMax, w.options.Now = true, tt.max, func() time.Time { return now }
				object := w.put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{Lock: tt.lock})
				result, copied := w.mustCopy(t, object)
				if diff := cmp.Diff(tt.want, copied.Lock); diff != "" {
					t.Errorf("lock (-want +got):\n%s", diff)
				}
				var want []string
				if tt.shorter {
					want = []string{copier.NoteRetentionCut}
				}
				if diff := cmp.Diff(want, result.Notes); diff != "" {
					t.Errorf("notes (-want +got):\n%s", diff)
				}
			})
		}
	}
}
