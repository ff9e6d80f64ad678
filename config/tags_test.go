package config_test

import (
	"strings"
	"testing"

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
		if diff := cmp.Diff(tt.want, got); diff != "" || c.Transfer(c.Mappings[0]).ChoosesTags() != tt.chosen {
			t.Errorf("%q: got choice %v; tags (-want +got):\n%s", tt.text, c.Transfer(c.Mappings[0]).ChoosesTags(), diff)
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
