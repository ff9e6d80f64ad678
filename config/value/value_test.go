package value_test

import (
	"encoding"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"syncd/config/value"
)

func TestParseSize(t *testing.T) {
	for _, tt := range []struct {
		text string
		want value.Size
	}{
		{"0", 0},
		{"1", 1},
		{"64MiB", 64 << 20},
		{"64 MiB", 64 << 20},
		{"1.5GiB", 3 << 29},
		{"50TB", 50e12},
		{"5GB", 5e9},
		{"9007199254740993", 9007199254740993}, // beyond the precision of a float
		{"9223372036854775807", 9223372036854775807},
	} {
		got, err := value.ParseSize(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("ParseSize(%q): got %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
}

func TestParseSizeRefuses(t *testing.T) {
	for _, text := range []string{"", "-1", "-1MiB", "1.5", "MiB", "5 parsecs", "9223372036854775808", "16EiB", "auto", "1e3"} {
		if got, err := value.ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q): got %d, want an error", text, got)
		}
	}
}

// TestParseErrors checks that each parse error has a hint that says what to write instead.
func TestParseErrors(t *testing.T) {
	_, size := value.ParseSize("5 parsecs")
	_, glob := value.ParseGlob("**.csv")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{size, `"5 parsecs" is not a size; use a number of bytes, or a unit as in 64MiB or 50TB`},
		{glob, `"**.csv" has ** next to other characters; put it between slashes, as in **/*.csv`},
	} {
		if got := fmt.Sprint(tt.err); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestSizeString(t *testing.T) {
	for _, tt := range []struct {
		size value.Size
		want string
	}{
		{0, "0"}, {1, "1"}, {1023, "1023"}, {1024, "1KiB"}, {1000, "1kB"}, {64 << 20, "64MiB"}, {50e12, "50TB"}, {5 << 30, "5GiB"}, {1 << 50, "1PiB"},
	} {
		if got := tt.size.String(); got != tt.want {
			t.Errorf("%d: got %q, want %q", int64(tt.size), got, tt.want)
		}
	}
}

func TestSizeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Up to 2^53, which a float represents exactly; S3's largest object is far smaller.
		unit := rapid.SampledFrom([]value.Size{1, 1e3, 1 << 10, 1e6, 1 << 20, 1e9, 1 << 30, 1e12, 1 << 40}).Draw(t, "unit")
		want := unit * value.Size(rapid.Int64Range(0, 1<<53/int64(unit)).Draw(t, "count"))
		got, err := value.ParseSize(want.String())
		if err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", want, got, err, int64(want))
		}
	})
}

func TestDurationRoundTrip(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"10s", "10s"}, {"90s", "1m30s"}, {"60m", "1h"}, {"1h30m", "1h30m"}, {"10m", "10m"}, {"0", "0s"}, {"1h0m1s", "1h0m1s"}, {"1500ms", "1.5s"},
	} {
		var d value.Duration
		if err := d.UnmarshalText([]byte(tt.text)); err != nil {
			t.Errorf("%s: %v", tt.text, err)
		}
		if got := d.String(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.text, got, tt.want)
		}
		if again, err := time.ParseDuration(d.String()); err != nil || again != d.Duration() {
			t.Errorf("%s: printed form reads as %v, %v, want %v", tt.text, again, err, d.Duration())
		}
	}
}

func TestTime(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Time
	}{
		{"", time.Time{}},
		{"2026-01-02", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)},
		{"2026-01-02T03:04:05Z", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		{"2026-01-02T03:04:05.5+01:00", time.Date(2026, 1, 2, 2, 4, 5, 5e8, time.UTC)},
	} {
		var got value.Time
		if err := got.UnmarshalText([]byte(tt.text)); err != nil || !got.Equal(tt.want) {
			t.Errorf("%q: got %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
}

func TestAutoValues(t *testing.T) {
	var n value.AutoInt
	var s value.AutoSize
	for _, tt := range []struct {
		name string
		into encoding.TextUnmarshaler
		text string
		ok   bool
		got  func() string
		want string
	}{
		{"auto number", &n, "auto", true, n.String, "auto"},
		{"number", &n, "64", true, func() string { return n.String() }, "64"},
		{"zero", &n, "0", false, nil, ""},
		{"negative", &n, "-1", false, nil, ""},
		{"auto size", &s, "auto", true, s.String, "auto"},
		{"size", &s, "64MiB", true, func() string { return s.String() }, "64MiB"},
		{"zero size", &s, "0", false, nil, ""},
		{"word", &s, "big", false, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.into.UnmarshalText([]byte(tt.text))
			if (err == nil) != tt.ok {
				t.Fatalf("got error %v, want success %v", err, tt.ok)
			}
			if tt.ok && tt.got() != tt.want {
				t.Errorf("got %q, want %q", tt.got(), tt.want)
			}
		})
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, key string
		want         bool
	}{
		{"**", "", true},
		{"**", "a//b", true},
		{"**", "/a", true},
		{"**", "a/", true},
		{"**", "\xff/\xfe", true},
		{"**", "../a\nb", true},
		{"*", "a", true},
		{"*", "a/b", false},
		{"*", "a/", false},
		{"*.csv", "a/b.csv", false},
		{"**/*.csv", "b.csv", true},
		{"**/*.csv", "a//b.csv", true},
		{"_tmp/**", "_tmp/x/y", true},
		{"_tmp/**", "_tmpx", false},
		{"{a,b}/**", "b/c", true},
		{"{**,x}", "a/b", true},
		{"[a-c]?", "b1", true},
		{`\*`, "*", true},
		{`\*`, "a", false},
	} {
		g, err := value.ParseGlob(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
		}
		if got := g.Match(tt.key); got != tt.want {
			t.Errorf("%q on %q: got %v, want %v", tt.pattern, tt.key, got, tt.want)
		}
	}
	for _, pattern := range []string{"", "[", "[a-", "{a", "**.csv", "a**", "a/**b/c", `\`} {
		if _, err := value.ParseGlob(pattern); err == nil {
			t.Errorf("ParseGlob(%q): got no error", pattern)
		}
	}
	if (value.Glob{}).Match("") {
		t.Error("the zero Glob matched")
	}
}

func TestPeriodForms(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		text  string
		want  time.Duration
		again string
	}{
		{"1d", day, "1d"},
		{"3650d", 3650 * day, "10y"},
		{"10y", 3650 * day, "10y"},
		{"90d", 90 * day, "90d"},
		{"100y", 36500 * day, "100y"},
		{"48h", 2 * day, "2d"},
		{"36h", 36 * time.Hour, "36h"},
		{"0s", 0, "0s"},
	} {
		var p value.Period
		if err := p.UnmarshalText([]byte(tt.text)); err != nil || p.Duration() != tt.want || p.String() != tt.again {
			t.Errorf("%q: got %s, %q, %v, want %s, %q", tt.text, p.Duration(), p, err, tt.want, tt.again)
		}
	}
	for _, text := range []string{"", "d", "1.5y", "-1d", "1w", "1y2d", "10 y", "1000y", "99999999999999999999d", "ten years", "1D"} {
		var p value.Period
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %s, want an error", text, p)
		}
	}
}
