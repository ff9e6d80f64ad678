// Package deploytest_test checks the files that operators apply, with the code of the programs that
// read those files. Manifests decode into the types of Kubernetes and ECS without unknown fields,
// kustomizations build, the chart lints and renders, alert rules fire when they should, every query
// parses, and the policies of Terraform and CloudFormation grant what `syncd policy` grants.
//
// Every workload (a pod or an ECS task that runs syncd) must fit its configuration: the external ID
// is where the configuration expects it, the stop timeout is longer than the drain, and the state
// is writable.
//
// With -promtool and -prometheus the tests also run the real programs: promtool runs the tests of
// the rules, and a Prometheus scrapes a daemon with a mapping for nearly every alert until the
// alerts fire, and answers every query of the dashboard and the runbook.
//
// The package is in a separate module so that the daemon does not depend on Kubernetes, Helm,
// Prometheus and HCL. The tests do not check what only a cluster or an account can show: that names
// exist and that roles can be assumed.
package deploytest_test

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd/config"
)

// A workload contains the properties of a pod or an ECS task with syncd that the tests compare.
type workload struct {
	name         string
	args         []string
	grace        time.Duration // from the stop signal to the kill
	user         string        // numeric uid:gid
	readOnlyRoot bool
	dropped      []string // dropped capabilities
	ports        map[string]int32
	volumes      []string // mount paths of writable volumes
	files        []string // every configuration and secret file that exists when syncd starts
	secretEnv    []string // environment variables set from a secret store
	config       *config.Config
}

// allWorkloads are built once; the tests only read them.
var allWorkloads struct {
	once sync.Once
	all  []workload
}

// workloads returns every workload in deploy/.
func workloads(t *testing.T) []workload {
	t.Helper()
	allWorkloads.once.Do(func() {
		allWorkloads.all = slices.Concat(kustomizedWorkloads(t), chartWorkloads(t), taskWorkloads(t))
	})
	if got := len(allWorkloads.all); got < 15 {
		t.Fatalf("got %d workloads, want those of every overlay, mode of the chart and task definition", got)
	}
	return allWorkloads.all
}

func TestWorkloadsAreUnprivileged(t *testing.T) {
	user := regexp.MustCompile(`(?m)^USER (\S+)$`).FindStringSubmatch(read(t, "../Dockerfile"))
	if user == nil {
		t.Fatal("got no USER in the Dockerfile, want one")
	}
	for _, w := range workloads(t) {
		if got, want := w.user, user[1]; got != want {
			t.Errorf("%s: got user %q, want %q as in the image", w.name, got, want)
		}
		if !w.readOnlyRoot {
			t.Errorf("%s: got a writable root file system, want a read-only one", w.name)
		}
		if !slices.Equal(w.dropped, []string{"ALL"}) {
			t.Errorf("%s: got dropped capabilities %v, want [ALL]", w.name, w.dropped)
		}
	}
}

func TestDrainFitsTheStopTimeout(t *testing.T) {
	const cleaningUp = 20 * time.Second // the time after the drain to save and to abort uploads
	for _, w := range workloads(t) {
		if drain := w.config.DrainTimeout.Duration(); w.grace < drain+cleaningUp {
			t.Errorf("%s: got %v to stop, want more than the drain_timeout of %v plus %v", w.name, w.grace, drain, cleaningUp)
		}
	}
}

func TestCommandsReadTheMountedConfig(t *testing.T) {
	for _, w := range workloads(t) {
		i := slices.Index(w.args, "--config")
		if i < 1 || i+1 == len(w.args) || !slices.Contains([]string{"run", "backfill"}, w.args[0]) {
			t.Errorf("%s: got arguments %q, want run or backfill, and --config FILE", w.name, w.args)
			continue
		}
		if got := w.args[i+1]; !slices.Contains(w.files, got) {
			t.Errorf("%s: got --config %s, want one of %v", w.name, got, w.files)
		}
	}
}

func TestStateCanBeWritten(t *testing.T) {
	for _, w := range workloads(t) {
		dir, inFolder := strings.CutPrefix(w.config.State, "file:")
		if inFolder && !slices.Contains(w.volumes, dir) {
			t.Errorf("%s: got state %q, want it on one of the volumes %v", w.name, w.config.State, w.volumes)
		}
		if !inFolder && len(w.volumes) > 0 {
			t.Errorf("%s: got volumes %v, want none for state on S3", w.name, w.volumes)
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
				t.Errorf("%s: got role %s without an external ID, want one", w.name, name)
			} else if _, err := role.ExternalID.Resolve(lookupEnv, readFile); err != nil {
				t.Errorf("%s: resolve the external ID of role %s: %v", w.name, name, err)
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
		listen := w.config.HTTP.Listen
		if i := slices.Index(w.args, "--listen"); i > 0 {
			listen = w.args[i+1]
		}
		host, port, err := net.SplitHostPort(listen)
		if err != nil {
			t.Errorf("%s: split http.listen: %v", w.name, err)
			continue
		}
		// Probes and scrapes cannot reach a loopback address.
		if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
			t.Errorf("%s: got http.listen host %q, want every address", w.name, host)
		}
		if want := fmt.Sprint(w.ports["metrics"]); port != want {
			t.Errorf("%s: got http.listen port %s, want %s", w.name, port, want)
		}
	}
	if daemons < 4 {
		t.Errorf("got %d daemons, want those of kustomize, the chart and ECS", daemons)
	}
}

// read returns a file in deploy/ by its slash-separated name.
func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func parseConfig(t *testing.T, data, name string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(data), name)
	if err != nil {
		t.Fatalf("%s: parse the configuration:\n%v", name, err)
	}
	return c
}
