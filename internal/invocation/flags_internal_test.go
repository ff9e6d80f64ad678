package invocation

import (
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"

	"syncd/internal/exit"
)

// TestConfigurationIsFoundInOrder checks that --config overrides SYNCD_CONFIG, which overrides
// ./syncd.yaml.
func TestConfigurationIsFoundInOrder(t *testing.T) {
	for _, tt := range []struct {
		name, env, flag string
		isThere, given  bool
		need            ConfigNeed
		want            string
	}{
		{name: "all", flag: "f", given: true, env: "e", isThere: true, want: "f"},
		{name: "variable", env: "e", isThere: true, want: "e"},
		{name: "file", isThere: true, want: "syncd.yaml"},
		{name: "none", want: "--config and SYNCD_CONFIG are not set, and ./syncd.yaml does not exist"},
		{name: "empty flag", given: true, env: "e", isThere: true, want: "--config is empty"},
		{name: "optional", need: ConfigOptional, want: ""},
		{name: "optional variable", need: ConfigOptional, env: "e", want: "e"},
		{name: "explicit, without the flag", need: ConfigExplicit, env: "e", isThere: true, want: ""},
		{name: "explicit, with the flag", need: ConfigExplicit, flag: "f", given: true, want: "f"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Process{
				LookupEnv: func(name string) (string, bool) { return tt.env, name == ConfigVariable && tt.env != "" },
				ReadFile: func(path string) ([]byte, error) {
					if path == "syncd.yaml" && tt.isThere {
						return nil, nil
					}
					return nil, fs.ErrNotExist
				},
			}
			v := configFlag{Flags: &Flags{Config: tt.flag}, need: tt.need}
			err := v.find(t.Context(), p, tt.given)
			if err != nil {
				if got := exit.Code(err); got != exit.CodeUsage || tt.want == "" || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got exit %d, %v, want %q", got, err, tt.want)
				}
				return
			}
			if v.Config != tt.want {
				t.Errorf("got %q, want %q", v.Config, tt.want)
			}
		})
	}
}

func TestStandardInputThatCannotBeRead(t *testing.T) {
	v := configFlag{Flags: &Flags{Config: StandardInput}}
	err := v.find(t.Context(), Process{Stdin: iotest.ErrReader(fs.ErrClosed)}, true)
	if err == nil || exit.Code(err) != exit.CodeUsage || !strings.Contains(err.Error(), "read configuration from standard input") {
		t.Errorf("got %v, want it to name standard input", err)
	}
}
