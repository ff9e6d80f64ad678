// Package deploy_test holds the manifests of this folder to what syncd itself says. Every file must decode, every embedded syncd.yaml
// must load without a fault, and whatever runs syncd (a workload: a pod or an ECS task) must fit the configuration that it is given:
// the state on a volume, the external ID where the configuration looks for it, more time to stop than the drain takes.
//
// What only a cluster or an account can tell (names that exist, roles that may be assumed) is left to them.
package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"syncd/config"
)

// A workload is one way to run syncd, as far as the tests compare it: read from a pod or from an ECS task.
type workload struct {
	file         string
	args         []string
	grace        time.Duration // from the signal to stop until the kill
	user         string        // numeric uid:gid
	readOnlyRoot bool
	dropped      []string // capabilities taken away
	ports        map[string]int
	volumes      []string // paths at which a writable volume lies
	files        []string // configuration and secrets: every file that is there when syncd starts
	secretEnv    []string // environment variables filled from a secret store
	config       *config.Config
}

func workloads(t *testing.T) []workload {
	t.Helper()
	return slices.Concat(pods(t), tasks(t))
}

func TestFilesDecode(t *testing.T) {
	decoders := map[string]func([]byte) error{".json": decodeJSON, ".yaml": decodeYAML}
	seen := map[string]int{}
	walk(t, func(name string) {
		decode, ok := decoders[path.Ext(name)]
		if !ok {
			return
		}
		seen[path.Ext(name)]++
		if err := decode(read(t, name)); err != nil {
			t.Errorf("decode %s: %v", name, err)
		}
	})
	for ext := range decoders {
		if seen[ext] == 0 {
			t.Errorf("got no %s file, want some", ext)
		}
	}
}

func decodeJSON(data []byte) error {
	var v any
	return json.Unmarshal(data, &v)
}

func decodeYAML(data []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var v any
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func TestReadmeNamesEveryFile(t *testing.T) {
	readme := string(read(t, "README.md"))
	walk(t, func(name string) {
		if path.Dir(name) == "." {
			return
		}
		if base := path.Base(name); !strings.Contains(readme, "`"+base+"`") {
			t.Errorf("got no `%s` in README.md, want a line on %s", base, name)
		}
	})
}

func TestWorkloadsAreUnprivileged(t *testing.T) {
	user := regexp.MustCompile(`(?m)^USER (\S+)$`).FindSubmatch(read(t, "../Dockerfile"))
	if user == nil {
		t.Fatal("got no USER in the Dockerfile, want one")
	}
	for _, w := range workloads(t) {
		if got, want := w.user, string(user[1]); got != want {
			t.Errorf("%s: got user %q, want %q as in the image", w.file, got, want)
		}
		if !w.readOnlyRoot {
			t.Errorf("%s: got a writable root file system, want a read-only one", w.file)
		}
		if !slices.Equal(w.dropped, []string{"ALL"}) {
			t.Errorf("%s: got dropped capabilities %v, want [ALL]", w.file, w.dropped)
		}
	}
}

func TestDrainEndsBeforeTheKill(t *testing.T) {
	for _, w := range workloads(t) {
		if drain := w.config.DrainTimeout.Duration(); w.grace <= drain {
			t.Errorf("%s: got %v to stop, want more than the drain_timeout of %v", w.file, w.grace, drain)
		}
	}
}

func TestCommandsReadTheConfigThatIsThere(t *testing.T) {
	for _, w := range workloads(t) {
		i := slices.Index(w.args, "--config")
		if i < 1 || i+1 == len(w.args) {
			t.Errorf("%s: got arguments %q, want COMMAND --config FILE", w.file, w.args)
			continue
		}
		if got := w.args[i+1]; !slices.Contains(w.files, got) {
			t.Errorf("%s: got --config %s, want one of %v", w.file, got, w.files)
		}
	}
}

func TestStateLiesOnAVolume(t *testing.T) {
	for _, w := range workloads(t) {
		dir, ok := strings.CutPrefix(w.config.State, "file:")
		if !ok || !slices.Contains(w.volumes, dir) {
			t.Errorf("%s: got state %q, want file: and one of %v", w.file, w.config.State, w.volumes)
		}
	}
}

func TestExternalIDsAreProvided(t *testing.T) {
	for _, w := range workloads(t) {
		lookupEnv := func(name string) (string, bool) { return "external-id", slices.Contains(w.secretEnv, name) }
		readFile := func(name string) ([]byte, error) {
			if !slices.Contains(w.files, name) {
				return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
			}
			return []byte("external-id"), nil
		}
		for name, role := range w.config.Roles {
			if role.ExternalID.IsZero() {
				t.Errorf("%s: got role %s without an external ID, want one", w.file, name)
			} else if _, err := role.ExternalID.Resolve(lookupEnv, readFile); err != nil {
				t.Errorf("%s: resolve the external ID of role %s: %v", w.file, name, err)
			}
		}
	}
}

func TestDaemonsListenOnTheirMetricsPort(t *testing.T) {
	daemons := 0
	for _, w := range workloads(t) {
		if w.args[0] != "run" {
			continue
		}
		daemons++
		host, port, err := net.SplitHostPort(w.config.HTTP.Listen)
		if err != nil {
			t.Errorf("%s: split http.listen: %v", w.file, err)
			continue
		}
		// A loopback address would leave every probe and scrape outside.
		if ip := net.ParseIP(host); ip == nil || !ip.IsUnspecified() {
			t.Errorf("%s: got http.listen host %q, want every address", w.file, host)
		}
		if want := fmt.Sprint(w.ports["metrics"]); port != want {
			t.Errorf("%s: got http.listen port %s, want %s", w.file, port, want)
		}
	}
	if daemons != 2 {
		t.Errorf("got %d daemons, want 2: a Deployment and a service's task", daemons)
	}
}

// walk calls visit with the slash-separated name of every file of this folder.
func walk(t *testing.T, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			visit(filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parseConfig(t *testing.T, data []byte, name string) *config.Config {
	t.Helper()
	c, err := config.Parse(data, name)
	if err != nil {
		t.Fatalf("parse the configuration:\n%v", err)
	}
	return c
}
