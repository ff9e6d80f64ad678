package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"syncd/config"
)

func TestTagsForms(t *testing.T) {
	long := strings.Repeat("ü", 128)
	for _, tt := range []struct {
		text   string
		want   config.Tags
		chosen bool
	}{
		{"", config.Tags{Carry: config.CarryCopy}, false},
		{"copy", config.Tags{Carry: config.CarryCopy}, false},
		{"omit", config.Tags{Carry: config.CarryOmit}, false},
		{"{only: [class]}", config.Tags{Carry: config.CarryCopy, Only: []string{"class"}}, true},
		{"{only: [Class, class, \"1\", \"a b:c\"]}", config.Tags{Carry: config.CarryCopy, Only: []string{"Class", "class", "1", "a b:c"}}, true},
		{"{only: [" + long + "]}", config.Tags{Carry: config.CarryCopy, Only: []string{long}}, true},
		{"\n      only:\n        - a\n        - b", config.Tags{Carry: config.CarryCopy, Only: []string{"a", "b"}}, true},
	} {
		text := minimal(t)
		if tt.text != "" {
			text += "    copy:\n      tags: " + strings.ReplaceAll(tt.text, "\n", "\n  ") + "\n"
		}
		c := parse(t, text)
		got := c.Mappings[0].Copy.Tags
		if diff := cmp.Diff(tt.want, got); diff != "" || got.Choose() != tt.chosen {
			t.Errorf("%q: got choice %v; tags (-want +got):\n%s", tt.text, got.Choose(), diff)
		}
		written, err := yaml.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, parse(t, string(written)).Mappings[0].Copy.Tags); diff != "" {
			t.Errorf("%q: after a round trip (-want +got):\n%s", tt.text, diff)
		}
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
		var p config.Period
		if err := p.UnmarshalText([]byte(tt.text)); err != nil || p.Duration() != tt.want || p.String() != tt.again {
			t.Errorf("%q: got %s, %q, %v, want %s, %q", tt.text, p.Duration(), p, err, tt.want, tt.again)
		}
	}
	for _, text := range []string{"", "d", "1.5y", "-1d", "1w", "1y2d", "10 y", "1000y", "99999999999999999999d", "ten years", "1D"} {
		var p config.Period
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %s, want an error", text, p)
		}
	}
}
