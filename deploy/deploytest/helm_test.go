package deploytest_test

import (
	"maps"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
)

const chartDir = "../helm/syncd"

// render returns what the chart makes of values, by file.
func render(t *testing.T, values map[string]any) (map[string]string, error) {
	t.Helper()
	c, err := loader.Load(chartDir)
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

// chart renders the chart and decodes what comes out.
func chart(t *testing.T, values map[string]any) objects {
	t.Helper()
	files, err := render(t, values)
	if err != nil {
		t.Fatalf("render the chart with %v: %v", values, err)
	}
	var manifests []string
	for name, text := range files {
		if strings.HasSuffix(name, ".yaml") {
			for _, manifest := range releaseutil.SplitManifests(text) {
				manifests = append(manifests, manifest)
			}
		}
	}
	return decodeObjects(t, "chart", manifests)
}

// chartValues are the ways to use the chart that the tests render.
func chartValues() map[string]map[string]any {
	onVolume := map[string]any{"state": "file:/var/lib/syncd", "checkpoint": nil}
	return map[string]map[string]any{
		"defaults": {},
		"cronjob":  {"mode": "cronjob"},
		"job":      {"mode": "job"},
		"volume":   {"stateVolume": map[string]any{"enabled": true}, "config": onVolume},
		"another port": {
			"config":   map[string]any{"http": map[string]any{"listen": ":8080"}},
			"replicas": 2,
		},
		"everything": {
			"serviceMonitor": map[string]any{"enabled": true, "labels": map[string]any{"release": "prometheus"}},
			"prometheusRule": map[string]any{"enabled": true, "runbookBaseURL": "https://runbooks.example.com/"},
			"dashboard":      map[string]any{"enabled": true},
			"serviceAccount": map[string]any{"annotations": map[string]any{"eks.amazonaws.com/role-arn": "arn:aws:iam::222222222222:role/syncd-workload"}},
			"networkPolicy":  map[string]any{"instanceProfile": true, "extraEgress": []any{map[string]any{"ports": []any{map[string]any{"port": 9000}}}}},
			"extraArgs":      []any{"--mapping", "exports"},
			"extraEnv":       []any{map[string]any{"name": "AWS_USE_FIPS_ENDPOINT", "value": "true"}},
			"nodeSelector":   map[string]any{"kubernetes.io/arch": "arm64"},
			"image":          map[string]any{"digest": "sha256:" + strings.Repeat("0", 64)},
			"podAnnotations": map[string]any{"team": "data"},
		},
	}
}

func chartWorkloads(t *testing.T) (all []workload) {
	t.Helper()
	for name, values := range chartValues() {
		for _, w := range chart(t, values).workloads(t, "chart, "+name) {
			if name == "another port" { // config.Parse takes ":8080" for every address, as net.Listen does
				w.config.HTTP.Listen = "0.0.0.0" + w.config.HTTP.Listen
			}
			all = append(all, w)
		}
	}
	return all
}

func TestChartRenders(t *testing.T) {
	for name, values := range chartValues() {
		o := chart(t, values)
		checkPods(t, "chart, "+name, o)
		if len(o.templates()) != 1 {
			t.Errorf("%s: got %d workloads, want 1", name, len(o.templates()))
		}
		if o["Deployment/syncd"] != nil {
			checkDaemon(t, "chart, "+name, o)
		}
	}
}

func TestChartLints(t *testing.T) {
	for name, values := range chartValues() {
		for _, message := range lint.All(chartDir, values, "syncd", true).Messages {
			// An icon would be fetched from somewhere.
			if message.Severity > support.InfoSev {
				t.Errorf("%s: %v", name, message)
			}
		}
	}
}

func TestChartRefusesFaults(t *testing.T) {
	faults := map[string]map[string]any{
		"an unknown key":            {"modus": "job"},
		"an unknown mode":           {"mode": "daemonset"},
		"a tag as digest":           {"image": map[string]any{"digest": "v1"}},
		"replicas on a volume":      {"replicas": 2, "stateVolume": map[string]any{"enabled": true}},
		"an account without a name": {"serviceAccount": map[string]any{"create": false}},
	}
	for name, values := range faults {
		if _, err := render(t, values); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
}

func TestChartCarriesRulesAndDashboard(t *testing.T) {
	files, err := render(t, chartValues()["everything"])
	if err != nil {
		t.Fatal(err)
	}
	rules := files["syncd/templates/prometheusrule.yaml"]
	if want := "runbook_url: https://runbooks.example.com/docs/operations.md#syncdstale"; !strings.Contains(rules, want) {
		t.Errorf("got no %q in the PrometheusRule, want it", want)
	}
	if dashboard := files["syncd/templates/dashboard.yaml"]; !strings.Contains(dashboard, `"schemaVersion"`) {
		t.Errorf("got no dashboard in its ConfigMap, want one")
	}
}

// TestChartNotesWarn shows the one mistake that the schema cannot see.
func TestChartNotesWarn(t *testing.T) {
	const warning = "WARNING: config.state is a folder"
	values := maps.Clone(chartValues()["volume"])
	for _, enabled := range []bool{true, false} {
		values["stateVolume"] = map[string]any{"enabled": enabled}
		files, err := render(t, values)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(files["syncd/templates/NOTES.txt"], warning); got == enabled {
			t.Errorf("volume enabled %t: got the warning %t, want %t", enabled, got, !enabled)
		}
	}
}
