package deploytest_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

const chartDir = "../helm/syncd"

var loadedChart = sync.OnceValues(func() (*helmchart.Chart, error) { return loader.Load(chartDir) })

// rendered caches the chart's output by its values as JSON, because several tests render the same
// values.
var rendered = map[string]map[string]string{}

// render returns the chart's output by file, as `helm template` does.
func render(t *testing.T, values map[string]any) (map[string]string, error) {
	t.Helper()
	key, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	if files, ok := rendered[string(key)]; ok {
		return maps.Clone(files), nil
	}
	files, err := renderWith(t, values)
	if err == nil {
		rendered[string(key)] = maps.Clone(files)
	}
	return files, err
}

func renderWith(t *testing.T, values map[string]any) (map[string]string, error) {
	t.Helper()
	c, err := loadedChart()
	if err != nil {
		t.Fatal(err)
	}
	release := chartutil.ReleaseOptions{Name: "syncd", Namespace: "syncd", Revision: 1, IsInstall: true}
	top, err := chartutil.ToRenderValues(c, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, top)
}

// chartObjects renders the chart and decodes the objects, including the pod of `helm test`.
func chartObjects(t *testing.T, name string, values map[string]any) objects {
	t.Helper()
	files, err := render(t, values)
	if err != nil {
		t.Fatalf("render the chart with %s: %v", name, err)
	}
	for file := range files {
		if !strings.HasSuffix(file, ".yaml") {
			delete(files, file) // not manifests: NOTES.txt, and files that only contain definitions
		}
	}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var texts []string
	for _, h := range hooks {
		texts = append(texts, h.Manifest)
	}
	for _, m := range manifests {
		texts = append(texts, m.Content)
	}
	return decodeObjects(t, "chart, "+name, texts)
}

// chart renders the chart with the minimal values, overridden by over.
func chart(t *testing.T, over string) objects {
	t.Helper()
	return chartObjects(t, over, values(t, "minimal", over))
}

// readValues reads a values file as Helm's command line does: all numbers are floating-point.
func readValues(t *testing.T, text []byte) map[string]any {
	t.Helper()
	values := map[string]any{}
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// chartValues returns the values files in ci/, which the tests render.
func chartValues(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(chartDir + "/ci/*-values.yaml")
	if err != nil || len(files) < 12 {
		t.Fatalf("got values files %q, %v, want at least 12", files, err)
	}
	all := map[string]map[string]any{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), "-values.yaml")
		all[name] = values(t, name, "")
	}
	return all
}

// values returns a values file in ci/, overridden by over.
func values(t *testing.T, name, over string) map[string]any {
	t.Helper()
	base := readValues(t, []byte(read(t, "helm/syncd/ci/"+name+"-values.yaml")))
	return chartutil.MergeTables(readValues(t, []byte(over)), base)
}

// chartWorkloads returns the workloads whose configuration, identity and user the chart determines.
func chartWorkloads(t *testing.T) (all []workload) {
	t.Helper()
	for name, values := range chartValues(t) {
		if values["existingConfigMap"] == nil && name != "extras" && name != "chain" {
			all = append(all, chartObjects(t, name, values).workloads(t, "chart, "+name)...)
		}
	}
	return all
}

func TestChartRenders(t *testing.T) {
	for name, values := range chartValues(t) {
		o := chartObjects(t, name, values)
		if name != "pod-identity" && name != "extras" {
			checkPods(t, "chart, "+name, o)
		}
		if len(o.templates()) != 1 {
			t.Errorf("%s: got %d workloads, want 1", name, len(o.templates()))
		}
		if o["Deployment/syncd"] != nil {
			checkDaemon(t, "chart, "+name, o)
		}
		if o["Pod/syncd-test"] == nil && name != "extras" && name != "monitoring" {
			t.Errorf("%s: got no pod for helm test, want one", name)
		}
	}
}

// TestChartLints checks that `helm lint --strict` passes with each values file.
func TestChartLints(t *testing.T) {
	for name, values := range chartValues(t) {
		for _, message := range lint.All(chartDir, values, "syncd", true).Messages {
			// Messages at the level info are ignored: Helm recommends an icon, but an icon would
			// have to be fetched from a server.
			if message.Severity > support.InfoSev {
				t.Errorf("%s: %v", name, message)
			}
		}
	}
}

// countFaults counts the lines of a message that report a fault. Other lines summarise the lines
// below them.
func countFaults(message string) (n int) {
	for line := range strings.Lines(message) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "- ") && !strings.HasSuffix(line, " failed") && !strings.HasSuffix(line, " none matched") {
			n++
		}
	}
	return n
}

// TestChartRejectsInvalidValues checks the message for each invalid values file. The file starts
// with texts that the message must contain ("# want: "), and can name texts that it must not
// contain ("# never: ").
func TestChartRejectsInvalidValues(t *testing.T) {
	files, err := filepath.Glob(chartDir + "/ci/wrong/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("got wrong values %q, %v, want many", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = render(t, readValues(t, text))
		if err == nil {
			t.Errorf("%s: got no error, want one", file)
			continue
		}
		wants := 0
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if want, ok := strings.CutPrefix(line, "# want: "); ok {
				wants++
				if !strings.Contains(err.Error(), "- "+want) {
					t.Errorf("%s: got %v\nwant %q in it", file, err, want)
				}
			}
			if never, ok := strings.CutPrefix(line, "# never: "); ok && strings.Contains(err.Error(), never) {
				t.Errorf("%s: got %q in %v, want it hidden", file, never, err)
			}
		}
		if got := countFaults(err.Error()); wants == 0 || got != wants {
			t.Errorf("%s: got %d faults in %v\nwant %d", file, got, err, wants)
		}
	}
}

// TestChartLintsWithoutValues checks that `helm lint --strict` passes without values: missing
// required values are not faults of the chart.
func TestChartLintsWithoutValues(t *testing.T) {
	for _, message := range lint.All(chartDir, nil, "syncd", true).Messages {
		if message.Severity > support.InfoSev {
			t.Errorf("got %v, want nothing", message)
		}
	}
}

// TestChartKeepsConfigUnchanged checks that the ConfigMap contains exactly the values: nothing is
// added, and no type changes.
func TestChartKeepsConfigUnchanged(t *testing.T) {
	for name, values := range chartValues(t) {
		want := values["config"]
		o := chartObjects(t, name, values)
		if want == nil {
			if got := configMaps(o); len(got) > 0 {
				t.Errorf("%s: got ConfigMaps %v, want none other than that of the values", name, got)
			}
			continue
		}
		var got any
		text := configMaps(o)[0].Data["syncd.yaml"]
		if err := yaml.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got configuration %v, want %v", name, got, want)
		}
		// syncd's YAML parser is not the library that Helm writes YAML with. So the test also
		// compares what syncd reads from the ConfigMap and from the values.
		asJSON, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		fromChart, fromValues := parseConfig(t, text, name), parseConfig(t, string(asJSON), name)
		if !reflect.DeepEqual(fromChart.Roles, fromValues.Roles) || !reflect.DeepEqual(fromChart.Mappings, fromValues.Mappings) {
			t.Errorf("%s: got roles and mappings\n%+v\nwant\n%+v", name, fromChart, fromValues)
		}
	}
}

// TestNamesThatAreNumbers checks names that YAML would read as numbers without quotes, and numbers
// that Helm would write as 1e+06.
func TestNamesThatAreNumbers(t *testing.T) {
	c, err := loadedChart()
	if err != nil {
		t.Fatal(err)
	}
	release := chartutil.ReleaseOptions{Name: "2024", Namespace: "syncd", Revision: 12345678, IsInstall: true}
	top, err := chartutil.ToRenderValues(c, values(t, "job", `nameOverride: "1e3"`), release, chartutil.DefaultCapabilities)
	if err != nil {
		t.Fatal(err)
	}
	files, err := engine.Render(c, top)
	if err != nil {
		t.Fatal(err)
	}
	o := decodeObjects(t, "numbers", []string{files["syncd/templates/job.yaml"], files["syncd/templates/networkpolicy.yaml"]})
	if o["Job/2024-1e3-12345678"] == nil {
		t.Errorf("got %v, want a Job 2024-1e3-12345678", slices.Collect(keysOf(o)))
	}
}

// TestChartNotes checks NOTES.txt in each mode, and its warnings.
func TestChartNotes(t *testing.T) {
	for _, tt := range []struct {
		name, base, over string
		want, never      []string
	}{
		{"daemon", "irsa", "", []string{"runs as a daemon in", "logs deployment/syncd ", "9090:metrics", "create secret generic syncd-external-id", "helm test syncd"}, []string{"WARNING", "cronjob", "job/"}},
		{"schedule", "cronjob", "cronjob: {suspend: false}\nextraEnv: [{name: A, value: b}]", []string{"runs on a schedule", `Passes start at "30 2 * * *" (Europe/Berlin).`, "--from=cronjob/syncd"}, []string{"WARNING", "deployment/", "suspended"}},
		{"suspended", "cronjob", "", []string{"It is suspended"}, []string{"Passes start"}},
		{"job", "job", "", []string{"runs one pass", "logs job/syncd-1 "}, []string{"deployment/", "cronjob"}},
		{"own ConfigMap", "existing-configmap-cronjob", "", []string{"your ConfigMap syncd-config"}, []string{"create secret"}},
		{"no Secret is read", "minimal", "", nil, []string{"create secret"}},
		{"no credentials", "minimal", "", []string{"WARNING: the pods cannot get credentials"}, nil},
		{"credentials by Pod Identity", "pod-identity", "", nil, []string{"WARNING"}},
		{"an external ID in the values", "s3-state", "config: {roles: {consumer: {external_id: a-secret-id}}}", []string{"WARNING: config.roles.consumer.external_id is in plain text"}, []string{"a-secret-id"}},
		{"no external ID", "irsa", "config: {roles: {consumer: {external_id: none}}}", nil, []string{"WARNING"}},
		{"TLS or a password", "minimal", "config: {http: {listen: ':9090', web_config: /etc/web/web.yaml}}", []string{"WARNING: config.http.web_config"}, nil},
		{"probes with TLS", "monitoring", "", nil, []string{"WARNING: config.http"}},
		{"a CronJob is not scraped", "cronjob", "prometheusRule: {enabled: true}", []string{"WARNING: the pods of a cronjob end"}, nil},
	} {
		files, err := render(t, values(t, tt.base, tt.over))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		notes := files["syncd/templates/NOTES.txt"]
		for _, want := range tt.want {
			if !strings.Contains(notes, want) {
				t.Errorf("%s: got no %q in the notes, want it:\n%s", tt.name, want, notes)
			}
		}
		for _, never := range tt.never {
			if strings.Contains(notes, never) {
				t.Errorf("%s: got %q in the notes, want none:\n%s", tt.name, never, notes)
			}
		}
	}
}
