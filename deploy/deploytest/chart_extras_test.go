package deploytest_test

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// A wanted is a part of an object and its expected YAML.
type wanted struct {
	of   string
	got  any
	want string
}

// checkParts compares parts with their expected YAML.
func checkParts(t *testing.T, parts []wanted) {
	t.Helper()
	for _, p := range parts {
		data, err := yaml.Marshal(p.got)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := yaml.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal([]byte(p.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.of, diff)
		}
	}
}

// TestChartExtras checks that every value in ci/extras-values.yaml reaches the pod and the other
// objects.
func TestChartExtras(t *testing.T) {
	o := chartObjects(t, "extras", values(t, "extras", ""))
	d := one[*apps.Deployment](t, o)
	pod := d.Spec.Template.Spec
	c, proxy := pod.Containers[0], pod.Containers[1]
	checkParts(t, []wanted{
		{"strategy", d.Spec.Strategy, "{type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}"},
		{"revisions", d.Spec.RevisionHistoryLimit, "3"},
		{"image", c.Image, "registry.example.com/syncd@sha256:" + strings.Repeat("0", 64)},
		{"pull secrets", pod.ImagePullSecrets, "[{name: registry}]"},
		{"arguments", c.Args, "[run, --config, /etc/syncd/syncd.yaml, --listen, ':8080', --log-level, debug]"},
		{"environment", c.Env, "[{name: GOMEMLIMIT, value: 3600MiB}, {name: AWS_USE_FIPS_ENDPOINT, value: 'true'}]"},
		{"environment from", c.EnvFrom, "[{secretRef: {name: proxy}}, {configMapRef: {name: environment, optional: true}}]"},
		{"mounts", c.VolumeMounts, `[{name: config, mountPath: /etc/syncd, readOnly: true}, {name: external-id, mountPath: /run/secrets/syncd, readOnly: true},
			{name: ca, mountPath: /etc/ssl/custom, readOnly: true}]`},
		{"volumes", pod.Volumes[2:], "[{name: ca, configMap: {name: ca-bundle}}, {name: scratch, emptyDir: {}}]"},
		{"init containers", pod.InitContainers[0].Name, "fetch"},
		{"sidecar", []any{proxy.Name, proxy.Ports[0].ContainerPort}, "[proxy, 3128]"},
		{"lifecycle", c.Lifecycle, "{preStop: {sleep: {seconds: 5}}}"},
		{"grace", pod.TerminationGracePeriodSeconds, "90"},
		{"pod security", pod.SecurityContext, "{runAsNonRoot: true, fsGroupChangePolicy: OnRootMismatch, seccompProfile: {type: RuntimeDefault}, supplementalGroups: [4000]}"},
		{"security", c.SecurityContext, "{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}"},
		{"liveness", c.LivenessProbe, "{httpGet: {path: /healthz, port: metrics}, periodSeconds: 20, failureThreshold: 10, timeoutSeconds: 5}"},
		{"readiness", c.ReadinessProbe, "null"},
		{"startup", c.StartupProbe, "{httpGet: {path: /healthz, port: metrics}, periodSeconds: 2, failureThreshold: 30}"},
		{"resources", c.Resources, "{requests: {cpu: '2', memory: 512Mi}, limits: {memory: 4Gi}}"},
		{"nodes", pod.NodeSelector, "{kubernetes.io/arch: arm64}"},
		{"tolerations", pod.Tolerations[0].Key, "data"},
		{"affinity", pod.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].Weight, "1"},
		{"spread", pod.TopologySpreadConstraints[0].MaxSkew, "1"},
		{"priority", pod.PriorityClassName, "data"},
		{"runtime", pod.RuntimeClassName, "gvisor"},
		{"hosts", pod.HostAliases, "[{ip: 10.0.0.10, hostnames: [s3.internal]}]"},
		{"dns", []any{pod.DNSPolicy, pod.DNSConfig}, "[None, {nameservers: [10.0.0.53]}]"},
		{"token", pod.AutomountServiceAccountToken, "true"},
		{"account", one[*core.ServiceAccount](t, o).AutomountServiceAccountToken, "true"},
		{"account's labels", one[*core.ServiceAccount](t, o).Labels["tier"], "workload"},
		{"port", c.Ports[0].ContainerPort, "8080"},
		{"service", one[*core.Service](t, o).Spec.Ports[0].Port, "8080"},
		{"service's labels", one[*core.Service](t, o).Labels["tier"], "metrics"},
		{"service's annotations", one[*core.Service](t, o).Annotations, "{example.com/internal: 'true', owner: data@example.com}"},
		{"pod labels", d.Spec.Template.Labels["sidecar"], "'yes'"},
		{"pod annotations", d.Spec.Template.Annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"], "'true'"},
		{"egress", networkPolicies(o)[0].Spec.Egress[2], "{ports: [{port: 9000, protocol: TCP}]}"},
	})
	if _, ok := o["PodDisruptionBudget/exports-replica"]; ok {
		t.Error("got a PodDisruptionBudget although it is disabled, want none")
	}
	for name, labels := range labelsIn(o) {
		if labels["team"] != "data" || labels["cost-center"] != "4711" {
			t.Errorf("%s: got labels %v, want the common labels among them", name, labels)
		}
	}
}

// TestChartTestPodIsReadOnly checks that the pod of `helm test` has the configuration, Secret and
// environment of the daemon, but not its sidecars and its state.
func TestChartTestPodIsReadOnly(t *testing.T) {
	for _, name := range []string{"extras", "state-volume", "job", "existing-configmap"} {
		o := chartObjects(t, name, values(t, name, ""))
		test := one[*core.Pod](t, o)
		var template core.PodTemplateSpec
		for _, template = range o.templates() {
		}
		c, daemon := test.Spec.Containers[0], template.Spec.Containers[0]
		daemon.VolumeMounts = slices.DeleteFunc(slices.Clone(daemon.VolumeMounts), func(m core.VolumeMount) bool { return m.Name == "state" })
		if len(test.Spec.Containers) != 1 || test.Spec.RestartPolicy != core.RestartPolicyNever || c.Image != daemon.Image {
			t.Errorf("%s: got %+v, want one container of the same image that runs once", name, test.Spec)
		}
		if diff := cmp.Diff([]string{"config", "check", "--config", "/etc/syncd/syncd.yaml"}, c.Args); diff != "" {
			t.Errorf("%s: precondition of every command (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff([]any{daemon.VolumeMounts, daemon.Env, daemon.EnvFrom}, []any{c.VolumeMounts, c.Env, c.EnvFrom}); diff != "" {
			t.Errorf("%s: (-daemon +test)\n%s", name, diff)
		}
		if test.Annotations["helm.sh/hook"] != "test" || test.Annotations["helm.sh/hook-delete-policy"] != "before-hook-creation" || test.Labels["app.kubernetes.io/component"] != "test" {
			t.Errorf("%s: got %v, want a hook that the daemon's selectors do not match and that is kept after success for its log", name, test.ObjectMeta)
		}
	}
}

// TestChartMountsHaveVolumes checks that every volume mount of a pod has a volume, including mounts
// of the chart's volumes by init containers.
func TestChartMountsHaveVolumes(t *testing.T) {
	const initialized = `initContainers: [{name: own, image: registry.example.com/tools/own:1, volumeMounts: [{name: state, mountPath: /state}, {name: config, mountPath: /etc/syncd}]}]`
	for _, name := range []string{"extras", "state-volume", "existing-configmap"} {
		over := "{}"
		if name != "extras" {
			over = initialized
		}
		o := chartObjects(t, name, values(t, name, over))
		pods := map[string]core.PodSpec{"helm test": one[*core.Pod](t, o).Spec}
		for of, template := range o.templates() {
			pods[of] = template.Spec
		}
		for of, pod := range pods {
			for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
				for _, m := range c.VolumeMounts {
					if !slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == m.Name }) {
						t.Errorf("%s, %s: got no volume %s, which container %s mounts", name, of, m.Name, c.Name)
					}
				}
			}
			if of == "helm test" && slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.PersistentVolumeClaim != nil }) {
				t.Errorf("%s: got volumes %v in the pod of helm test, want no claim: the daemon uses it", name, pod.Volumes)
			}
		}
	}
}

// TestChartSelectorsAreItsOwn checks that selectors, which cannot be changed later, contain none of
// the operator's labels, even if the operator's labels have the names of the chart's labels.
func TestChartSelectorsAreItsOwn(t *testing.T) {
	const ours = `
commonLabels: {app.kubernetes.io/name: other, app.kubernetes.io/component: other, app.kubernetes.io/part-of: lake}
podLabels: {app.kubernetes.io/instance: other}
podAnnotations: {checksum/config: other}
serviceMonitor: {enabled: true}`
	for _, name := range []string{"minimal", "cronjob", "instance-profile"} {
		o := chartObjects(t, name, values(t, name, ours))
		checkPods(t, name, o)
		if o["Deployment/syncd"] != nil {
			checkDaemon(t, name, o)
		}
		for of, labels := range labelsIn(o) {
			if labels["app.kubernetes.io/name"] != "syncd" || labels["app.kubernetes.io/part-of"] != "lake" || labels["app.kubernetes.io/instance"] != "syncd" {
				t.Errorf("%s: %s: got labels %v, want the chart's own names and the operator's others", name, of, labels)
			}
		}
		for _, selector := range selectorsIn(o) {
			for key := range selector {
				if key != "app.kubernetes.io/name" && key != "app.kubernetes.io/instance" && key != "app.kubernetes.io/component" {
					t.Errorf("%s: got selector %v, want only the chart's own labels", name, selector)
				}
			}
		}
	}
}

// TestChartValuesAlone checks the effect of values that are set one at a time.
func TestChartValuesAlone(t *testing.T) {
	container := func(over, base string) core.Container {
		for _, template := range chartObjects(t, over, values(t, base, over)).templates() {
			return template.Spec.Containers[0]
		}
		return core.Container{}
	}
	const minimal = "minimal"
	checkParts(t, []wanted{
		{"another handler", container("livenessProbe: {tcpSocket: {port: metrics}}", minimal).LivenessProbe, "{tcpSocket: {port: metrics}, periodSeconds: 20, failureThreshold: 6}"},
		{"part of a handler", container("readinessProbe: {httpGet: {scheme: HTTPS}}", minimal).ReadinessProbe, "{httpGet: {path: /readyz, port: metrics, scheme: HTTPS}, periodSeconds: 10}"},
		{"no liveness", container("livenessProbe: {enabled: false}", minimal).LivenessProbe, "null"},
		{"startup as liveness", container("livenessProbe: {exec: {command: [/syncd, healthcheck]}}\nstartupProbe: {periodSeconds: 1}", minimal).StartupProbe, "{exec: {command: [/syncd, healthcheck]}, periodSeconds: 1}"},
		{"loopback with another probe", container("config: {http: {listen: '127.0.0.1:9090'}}\nlivenessProbe: {exec: {command: [/syncd, healthcheck]}}\nreadinessProbe: {enabled: false}", minimal).Args, "[run, --config, /etc/syncd/syncd.yaml]"},
		{"listens by flag", container("{}", minimal).Args, "[run, --config, /etc/syncd/syncd.yaml, --listen, ':9090']"},
		{"listens by configuration", container("{}", "s3-state").Args, "[run, --config, /etc/syncd/syncd.yaml]"},
		{"memory in MB", container("resources: {limits: {memory: 2000M}}", minimal).Env, "[{name: GOMEMLIMIT, value: 1676MiB}]"},
		{"memory in bytes", container("resources: {limits: {memory: 1073741824}}", minimal).Env, "[{name: GOMEMLIMIT, value: 900MiB}]"},
		{"memory in bytes as text", container("resources: {limits: {memory: '1073741824'}}", minimal).Env, "[{name: GOMEMLIMIT, value: 900MiB}]"},
		{"memory with an exponent", container("resources: {limits: {memory: '2e9'}}", minimal).Env, "[{name: GOMEMLIMIT, value: 1676MiB}]"},
		{"memory in TiB", container("resources: {limits: {memory: 1Ti}}", minimal).Env, "[{name: GOMEMLIMIT, value: 921600MiB}]"},
		{"memory below a MiB", container("resources: {limits: {memory: 512k}}", minimal).Env, "null"},
		{"no memory limit", container("resources: {limits: {memory: null}}", minimal).Env, "null"},
		{"no resources", container("resources: null", minimal).Resources, "{}"},
		{"own GOMEMLIMIT", container("goMemLimit: 1GiB", minimal).Env, "[{name: GOMEMLIMIT, value: 1GiB}]"},
		{"no Secret", container("{}", minimal).VolumeMounts, "[{name: config, mountPath: /etc/syncd, readOnly: true}]"},
		{"folder of the state", container("config: {state: 'file:/data/a'}", "state-volume").VolumeMounts[2], "{name: state, mountPath: /data/a}"},
		{"no TTL of a Job", one[*batch.Job](t, chartObjects(t, "job", values(t, "job", "job: {ttlSecondsAfterFinished: null}"))).Spec.TTLSecondsAfterFinished, "null"},
		{"no starting deadline", one[*batch.CronJob](t, chartObjects(t, "cronjob", values(t, "cronjob", "cronjob: {startingDeadlineSeconds: null}"))).Spec.StartingDeadlineSeconds, "null"},
		{"no security contexts", []any{container("securityContext: null", minimal).SecurityContext, one[*apps.Deployment](t, chart(t, "podSecurityContext: null")).Spec.Template.Spec.SecurityContext}, "[null, null]"},
		{"volume above the state", container("config: {state: 'file:/data/a'}\nstateVolume: {mountPath: /data}", "state-volume").VolumeMounts[2], "{name: state, mountPath: /data}"},
	})
}

// TestChartWithoutConfig checks that, without the value config, the templates use separate values
// for the settings that they would read from config.
func TestChartWithoutConfig(t *testing.T) {
	o := chartObjects(t, "existing-configmap", values(t, "existing-configmap", ""))
	pod := one[*apps.Deployment](t, o).Spec.Template
	c := pod.Spec.Containers[0]
	checkParts(t, []wanted{
		{"configuration", pod.Spec.Volumes[0], "{name: config, configMap: {name: syncd-config}}"},
		{"arguments", c.Args, "[run, --config, /etc/syncd/syncd.yaml, --listen, ':9191']"},
		{"port", c.Ports[0].ContainerPort, "9191"},
		{"service", one[*core.Service](t, o).Spec.Ports[0].Port, "9191"},
		{"state", c.VolumeMounts[2], "{name: state, mountPath: /srv/syncd}"},
		{"grace", pod.Spec.TerminationGracePeriodSeconds, "120"},
		{"annotations", pod.Annotations, "null"},
	})
	o = chartObjects(t, "existing", values(t, "existing-configmap", "{service: {port: null}, stateVolume: {mountPath: null}, terminationGracePeriodSeconds: null}"))
	pod = one[*apps.Deployment](t, o).Spec.Template
	checkParts(t, []wanted{
		{"port", pod.Spec.Containers[0].Ports[0].ContainerPort, "9090"},
		{"state", pod.Spec.Containers[0].VolumeMounts[2].MountPath, "/var/lib/syncd"},
		{"grace", pod.Spec.TerminationGracePeriodSeconds, "60"},
	})
	job := one[*batch.CronJob](t, chartObjects(t, "existing", values(t, "existing-configmap-cronjob", ""))).Spec.JobTemplate.Spec.Template.Spec
	checkParts(t, []wanted{
		{"volumes", job.Volumes, "[{name: config, configMap: {name: syncd-config}}]"},
		{"arguments", job.Containers[0].Args, "[backfill, --config, /etc/syncd/syncd.yaml, --json]"},
	})
	chained := one[*apps.Deployment](t, chartObjects(t, "chain", values(t, "chain", ""))).Spec.Template.Spec
	checkParts(t, []wanted{{"the grace after drain_timeout", chained.TerminationGracePeriodSeconds, "125"}, {"port", chained.Containers[0].Ports[0].ContainerPort, "8443"}})
}

func TestChartJobSettings(t *testing.T) {
	c := one[*batch.CronJob](t, chartObjects(t, "cronjob", values(t, "cronjob", ""))).Spec
	checkParts(t, []wanted{
		{"schedule", []any{c.Schedule, c.TimeZone, c.Suspend, c.ConcurrencyPolicy}, "['30 2 * * *', Europe/Berlin, true, Replace]"},
		{"limits", []any{c.StartingDeadlineSeconds, c.SuccessfulJobsHistoryLimit, c.FailedJobsHistoryLimit}, "[10000000, 1, 5]"},
		{"job", []any{c.JobTemplate.Spec.BackoffLimit, c.JobTemplate.Spec.ActiveDeadlineSeconds}, "[0, 2592000]"},
	})
	j := one[*batch.Job](t, chartObjects(t, "job", values(t, "job", ""))).Spec
	checkParts(t, []wanted{{"job", []any{j.TTLSecondsAfterFinished, j.BackoffLimit, j.ActiveDeadlineSeconds}, "[2592000, 2, null]"}})
}

// TestChartMonitoring checks the objects of ci/monitoring-values.yaml in a release with another
// name.
func TestChartMonitoring(t *testing.T) {
	o := chartObjects(t, "monitoring", values(t, "monitoring", ""))
	m, rule := one[*monitoring.ServiceMonitor](t, o), one[*monitoring.PrometheusRule](t, o)
	checkParts(t, []wanted{
		{"monitor", []any{m.Namespace, m.Labels["release"], m.Spec.NamespaceSelector}, "[monitoring, kube-prometheus-stack, {matchNames: [syncd]}]"},
		{"endpoint", m.Spec.Endpoints, `[{port: metrics, interval: 15s, scrapeTimeout: 10s, scheme: https, tlsConfig: {ca: {}, cert: {}, insecureSkipVerify: true}, honorLabels: true,
			basicAuth: {username: {name: syncd-scrape, key: username}, password: {name: syncd-scrape, key: password}},
			relabelings: [{targetLabel: job, replacement: syncd}, {sourceLabels: [__meta_kubernetes_pod_node_name], targetLabel: node}],
			metricRelabelings: [{sourceLabels: [__name__], regex: go_.*, action: drop}]}]`},
		{"rule", []any{rule.Namespace, rule.Labels["release"]}, "[monitoring, kube-prometheus-stack]"},
		{"dashboard", o["ConfigMap/syncd-replica-dashboard"].(*core.ConfigMap).Namespace, "grafana"},
	})
	links := 0
	for alert := range alertsIn(rule) {
		links++
		section := "docs/operations.md#" + strings.ToLower(alert.Alert)
		checkParts(t, []wanted{
			{"section", alert.Annotations["runbook"], section},
			{"link", alert.Annotations["runbook_url"], "https://git.example.com/platform/syncd/blob/v0.1.0/" + section},
		})
	}
	if links < 10 {
		t.Errorf("got %d alerts, want all", links)
	}
	for _, base := range []string{"''", "https://git.example.com/a/$1/"} {
		o := chartObjects(t, "monitoring", values(t, "monitoring", "prometheusRule: {runbookBaseURL: "+base+"}"))
		for alert := range alertsIn(one[*monitoring.PrometheusRule](t, o)) {
			want := ""
			if base != "''" {
				want = base + alert.Annotations["runbook"]
			}
			if got := alert.Annotations["runbook_url"]; got != want {
				t.Errorf("runbooks at %s: got link %q, want %q", base, got, want)
			}
		}
	}
	if dashboard := o["ConfigMap/syncd-replica-dashboard"].(*core.ConfigMap); !strings.Contains(dashboard.Data["syncd.json"], `"schemaVersion"`) {
		t.Errorf("got no dashboard in its ConfigMap, want one")
	}
}

func alertsIn(rule *monitoring.PrometheusRule) iter.Seq[monitoring.Rule] {
	return func(yield func(monitoring.Rule) bool) {
		for _, group := range rule.Spec.Groups {
			for _, r := range group.Rules {
				if r.Alert != "" && !yield(r) {
					return
				}
			}
		}
	}
}

// labelsIn returns the labels of every object, of the jobs of a CronJob, and of the pods, by the
// name of the object.
func labelsIn(o objects) map[string]map[string]string {
	found := map[string]map[string]string{}
	for name, object := range o {
		found[name] = object.(interface{ GetLabels() map[string]string }).GetLabels()
		if c, ok := object.(*batch.CronJob); ok {
			found[name+", its jobs"] = c.Spec.JobTemplate.Labels
		}
	}
	for name, template := range o.templates() {
		found[name+", its pods"] = template.Labels
	}
	return found
}

func selectorsIn(o objects) (found []map[string]string) {
	for _, object := range o {
		switch w := object.(type) {
		case *apps.Deployment:
			found = append(found, w.Spec.Selector.MatchLabels)
		case *core.Service:
			found = append(found, w.Spec.Selector)
		case *policy.PodDisruptionBudget:
			found = append(found, w.Spec.Selector.MatchLabels)
		case *networking.NetworkPolicy:
			found = append(found, w.Spec.PodSelector.MatchLabels)
		case *monitoring.ServiceMonitor:
			found = append(found, w.Spec.Selector.MatchLabels)
		}
	}
	return found
}

// configMaps returns the ConfigMaps that contain a configuration.
func configMaps(o objects) (found []*core.ConfigMap) {
	for _, object := range o {
		if c, ok := object.(*core.ConfigMap); ok && c.Data["syncd.yaml"] != "" {
			found = append(found, c)
		}
	}
	return found
}

func keysOf(o objects) iter.Seq[string] { return maps.Keys(o) }

// TestChartAsADependency checks the chart as a dependency of another chart, which enables it with a
// condition.
func TestChartAsADependency(t *testing.T) {
	for _, enabled := range []bool{true, false} {
		c, err := loader.Load(chartDir)
		if err != nil {
			t.Fatal(err)
		}
		umbrella := &helmchart.Chart{Metadata: &helmchart.Metadata{
			APIVersion: "v2", Name: "platform", Version: "1.0.0",
			Dependencies: []*helmchart.Dependency{{Name: "syncd", Version: c.Metadata.Version, Condition: "syncd.enabled"}},
		}}
		umbrella.AddDependency(c)
		below := values(t, "minimal", "")
		below["enabled"] = enabled
		all := map[string]any{"syncd": below, "global": map[string]any{"imageRegistry": "registry.example.com"}}
		if err := chartutil.ProcessDependenciesWithMerge(umbrella, all); err != nil {
			t.Fatal(err)
		}
		release := chartutil.ReleaseOptions{Name: "platform", Namespace: "syncd", Revision: 1, IsInstall: true}
		top, err := chartutil.ToRenderValues(umbrella, all, release, chartutil.DefaultCapabilities)
		if err != nil {
			t.Fatalf("enabled %v: %v", enabled, err)
		}
		files, err := engine.Render(umbrella, top)
		if err != nil {
			t.Fatalf("enabled %v: %v", enabled, err)
		}
		if got := strings.Contains(files["platform/charts/syncd/templates/deployment.yaml"], "kind: Deployment"); got != enabled {
			t.Errorf("enabled %v: got a Deployment %v", enabled, got)
		}
	}
}
