package config_test

import (
	"fmt"
	"strings"
	"testing"

	"syncd/config"
)

// TestControlSocketsThatAreNoPaths checks that text that is certainly not the path of a socket is
// rejected with a hint. Otherwise syncd would create a file with that name.
func TestControlSocketsThatAreNoPaths(t *testing.T) {
	const text = `state: file:state
control: {socket: %q}
mappings:
  - name: a
    source: {bucket: owner-data, region: us-east-1, account: "111111111111"}
    destination: {bucket: consumer-copy, region: us-east-1, account: "222222222222", kms_key: "arn:aws:kms:us-east-1:222222222222:key/1a2b"}
`
	for socket, hint := range map[string]string{
		"": "", "off": "", "control.sock": "", "run/control.sock": "", "/run/syncd/control.sock": "", "./@s": "",
		"OFF": "write off", "Off": "write off", "none": "write off", "false": "write off", "no": "write off",
		"on": "leave the setting out", "true": "leave the setting out",
		"~/control.sock": "write the full path", "~": "write the full path",
		"@syncd": "an abstract socket", "unix:///run/s": "leave out unix:", "unix:/run/s": "leave out unix:",
		"tcp://127.0.0.1:9": "a file on this machine", "127.0.0.1:9091": "a file on this machine", ":9091": "a file on this machine",
		".": "./control.sock", "/run/": "use a path such as", "/": "use a path such as",
	} {
		_, err := config.Parse(fmt.Appendf(nil, text, socket), "f")
		if hint == "" {
			if err != nil {
				t.Errorf("%q: got %v, want it accepted", socket, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("f:2: control.socket: %q is not the path of a socket; ", socket)) || !strings.Contains(err.Error(), hint) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one fault with %q", socket, err, hint)
		}
	}
}
