package transfer_test

import (
	"testing"
	"time"

	"syncd/internal/transfer"
)

func TestSame(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	version := func(change func(*transfer.Version)) transfer.Version {
		v := transfer.Version{ETag: `"e"`, Size: 3, LastModified: at}
		change(&v)
		return v
	}
	base := version(func(*transfer.Version) {})
	for name, tt := range map[string]struct {
		change func(*transfer.Version)
		want   bool
	}{
		"itself":                        {func(*transfer.Version) {}, true},
		"another zone of the same time": {func(v *transfer.Version) { v.LastModified = at.In(time.FixedZone("", 3600)) }, true},
		"an ETag without quotes":        {func(v *transfer.Version) { v.ETag = "e" }, true},
		"milliseconds":                  {func(v *transfer.Version) { v.LastModified = at.Add(7 * time.Millisecond) }, true},
		"an id that the other lacks":    {func(v *transfer.Version) { v.ID = "1" }, true},
		"another ETag":                  {func(v *transfer.Version) { v.ETag = `"f"` }, false},
		"another size":                  {func(v *transfer.Version) { v.Size = 4 }, false},
		"the same bytes written again":  {func(v *transfer.Version) { v.LastModified = at.Add(time.Second) }, false},
	} {
		if got := base.Same(version(tt.change)); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
		if got := version(tt.change).Same(base); got != tt.want {
			t.Errorf("%s, the other way round: got %v, want %v", name, got, tt.want)
		}
	}
	one, two := version(func(v *transfer.Version) { v.ID = "1" }), version(func(v *transfer.Version) { v.ID = "2" })
	if one.Same(two) {
		t.Error("two ids are one version")
	}
	fine := version(func(v *transfer.Version) { v.LastModified = at.Add(7 * time.Millisecond) })
	finer := version(func(v *transfer.Version) { v.LastModified = at.Add(8 * time.Millisecond) })
	if fine.Same(finer) {
		t.Error("times with different milliseconds are one version")
	}
}
