package deploytest_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// objects are typed Kubernetes objects by kind and name ("Deployment/syncd").
type objects map[string]any

// decodeObjects decodes manifests. Fields that the kind does not have are errors.
func decodeObjects(t *testing.T, name string, manifests []string) objects {
	t.Helper()
	kinds := map[string]func() any{
		"apps/v1/Deployment":                      func() any { return new(apps.Deployment) },
		"batch/v1/CronJob":                        func() any { return new(batch.CronJob) },
		"batch/v1/Job":                            func() any { return new(batch.Job) },
		"monitoring.coreos.com/v1/PrometheusRule": func() any { return new(monitoring.PrometheusRule) },
		"monitoring.coreos.com/v1/ServiceMonitor": func() any { return new(monitoring.ServiceMonitor) },
		"networking.k8s.io/v1/NetworkPolicy":      func() any { return new(networking.NetworkPolicy) },
		"policy/v1/PodDisruptionBudget":           func() any { return new(policy.PodDisruptionBudget) },
		"v1/ConfigMap":                            func() any { return new(core.ConfigMap) },
		"v1/Namespace":                            func() any { return new(core.Namespace) },
		"v1/Pod":                                  func() any { return new(core.Pod) },
		"v1/PersistentVolumeClaim":                func() any { return new(core.PersistentVolumeClaim) },
		"v1/Service":                              func() any { return new(core.Service) },
		"v1/ServiceAccount":                       func() any { return new(core.ServiceAccount) },
	}
	decoded := objects{}
	for _, manifest := range manifests {
		var head struct {
			APIVersion, Kind string
			Metadata         struct{ Name, Namespace string }
		}
		if err := yaml.Unmarshal([]byte(manifest), &head); err != nil {
			t.Fatalf("%s: decode: %v\n%s", name, err, manifest)
		}
		make, known := kinds[head.APIVersion+"/"+head.Kind]
		if !known {
			t.Fatalf("%s: got a %s of %s, want one of the kinds that the tests know", name, head.Kind, head.APIVersion)
		}
		elsewhere := head.Kind == "Namespace" || strings.HasSuffix(name, "monitoring") // ci/monitoring-values.yaml sets namespaces other than the release's
		if !elsewhere && head.Metadata.Namespace != "syncd" {
			t.Errorf("%s: got %s %s in namespace %q, want syncd", name, head.Kind, head.Metadata.Name, head.Metadata.Namespace)
		}
		object := make()
		if err := yaml.UnmarshalStrict([]byte(manifest), object); err != nil {
			t.Errorf("%s: decode %s: %v", name, head.Kind, err)
		}
		decoded[head.Kind+"/"+head.Metadata.Name] = object
	}
	return decoded
}

// templates returns the pod templates of the workloads.
func (o objects) templates() map[string]core.PodTemplateSpec {
	found := map[string]core.PodTemplateSpec{}
	for name, object := range o {
		switch w := object.(type) {
		case *apps.Deployment:
			found[name] = w.Spec.Template
		case *batch.CronJob:
			found[name] = w.Spec.JobTemplate.Spec.Template
		case *batch.Job:
			found[name] = w.Spec.Template
		}
	}
	return found
}

// workloads returns the workloads of the pods. It reads their files and environment from the other
// objects.
func (o objects) workloads(t *testing.T, from string) (all []workload) {
	t.Helper()
	for name, template := range o.templates() {
		all = append(all, o.workload(t, from+": "+name, template.Spec))
	}
	return all
}

func (o objects) workload(t *testing.T, name string, pod core.PodSpec) workload {
	t.Helper()
	if len(pod.Containers) != 1 {
		t.Fatalf("%s: got %d containers, want 1", name, len(pod.Containers))
	}
	c := pod.Containers[0]
	w := workload{
		name:         name,
		args:         c.Args,
		grace:        time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second,
		user:         fmt.Sprintf("%d:%d", *pod.SecurityContext.RunAsUser, *pod.SecurityContext.RunAsGroup),
		readOnlyRoot: *c.SecurityContext.ReadOnlyRootFilesystem,
		ports:        map[string]int32{},
	}
	for _, dropped := range c.SecurityContext.Capabilities.Drop {
		w.dropped = append(w.dropped, string(dropped))
	}
	for _, p := range c.Ports {
		w.ports[p.Name] = p.ContainerPort
	}
	for _, m := range c.VolumeMounts {
		o.mount(t, &w, m, pod.Volumes)
	}
	if w.config == nil {
		t.Fatalf("%s: got no volume with a configuration, want one", name)
	}
	return w
}

// mount adds the volume of m to w: a configuration, a secret, or a writable path.
func (o objects) mount(t *testing.T, w *workload, m core.VolumeMount, volumes []core.Volume) {
	t.Helper()
	i := slices.IndexFunc(volumes, func(v core.Volume) bool { return v.Name == m.Name })
	if i < 0 {
		t.Fatalf("%s: got a mount of %q, want a volume of that name", w.name, m.Name)
	}
	switch v := volumes[i]; {
	case v.ConfigMap != nil:
		configMap, there := o["ConfigMap/"+v.ConfigMap.Name].(*core.ConfigMap)
		if !there {
			t.Fatalf("%s: got ConfigMap %q in a volume, want one that exists", w.name, v.ConfigMap.Name)
		}
		w.config = parseConfig(t, configMap.Data["syncd.yaml"], w.name)
		w.files = append(w.files, path.Join(m.MountPath, "syncd.yaml"))
	case v.Secret != nil:
		w.files = append(w.files, path.Join(m.MountPath, "external-id"))
	case v.PersistentVolumeClaim != nil && !m.ReadOnly:
		if o["PersistentVolumeClaim/"+v.PersistentVolumeClaim.ClaimName] == nil {
			t.Errorf("%s: got claim %q in a volume, want one that exists", w.name, v.PersistentVolumeClaim.ClaimName)
		}
		w.volumes = append(w.volumes, m.MountPath)
	}
}

// one returns the only object of type T.
func one[T any](t *testing.T, o objects) T {
	t.Helper()
	var found []T
	for _, object := range o {
		if typed, ok := object.(T); ok {
			found = append(found, typed)
		}
	}
	if len(found) != 1 {
		t.Fatalf("got %d of %T, want 1", len(found), *new(T))
	}
	return found[0]
}

// checkPods checks every pod against the restricted pod security standard and against the other
// objects.
func checkPods(t *testing.T, from string, o objects) {
	t.Helper()
	account := one[*core.ServiceAccount](t, o)
	for name, template := range o.templates() {
		pod := template.Spec
		if got := pod.SecurityContext.RunAsNonRoot; got == nil || !*got {
			t.Errorf("%s: %s: got runAsNonRoot unset, want true", from, name)
		}
		if got := pod.SecurityContext.SeccompProfile.Type; got != core.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: %s: got seccomp profile %q, want RuntimeDefault", from, name, got)
		}
		// Without fsGroup the volume belongs to root, and the image's user cannot write to it.
		if got, want := *pod.SecurityContext.FSGroup, *pod.SecurityContext.RunAsGroup; got != want {
			t.Errorf("%s: %s: got fsGroup %d, want %d", from, name, got, want)
		}
		if got := pod.Containers[0].SecurityContext.AllowPrivilegeEscalation; got == nil || *got {
			t.Errorf("%s: %s: got privilege escalation allowed, want it disallowed", from, name)
		}
		if got, want := pod.ServiceAccountName, account.Name; got != want {
			t.Errorf("%s: %s: got service account %q, want %q", from, name, got, want)
		}
		if image := pod.Containers[0].Image; !strings.ContainsAny(image, ":@") {
			t.Errorf("%s: %s: got image %q, want one with a tag or digest", from, name, image)
		}
		for _, np := range networkPolicies(o) {
			if !matches(np.Spec.PodSelector.MatchLabels, template.Labels) {
				t.Errorf("%s: %s: got no match for network policy %s, want it to select every pod", from, name, np.Name)
			}
		}
	}
}

func networkPolicies(o objects) (found []*networking.NetworkPolicy) {
	for _, object := range o {
		if np, ok := object.(*networking.NetworkPolicy); ok {
			found = append(found, np)
		}
	}
	return found
}

// checkDaemon checks the daemon's pod against everything that selects, probes and scrapes it.
func checkDaemon(t *testing.T, from string, o objects) {
	t.Helper()
	deployment, service := one[*apps.Deployment](t, o), one[*core.Service](t, o)
	pod := deployment.Spec.Template
	for of, selector := range map[string]map[string]string{
		"deployment":        deployment.Spec.Selector.MatchLabels,
		"service":           service.Spec.Selector,
		"disruption budget": one[*policy.PodDisruptionBudget](t, o).Spec.Selector.MatchLabels,
	} {
		if !matches(selector, pod.Labels) || len(selector) < 2 {
			t.Errorf("%s: got selector %v of the %s, want it to match %v closely", from, selector, of, pod.Labels)
		}
	}
	c := pod.Spec.Containers[0]
	for of, port := range map[string]string{
		"service":   service.Spec.Ports[0].TargetPort.String(),
		"liveness":  c.LivenessProbe.HTTPGet.Port.String(),
		"readiness": c.ReadinessProbe.HTTPGet.Port.String(),
	} {
		if port != c.Ports[0].Name {
			t.Errorf("%s: got port %q of the %s, want %q", from, port, of, c.Ports[0].Name)
		}
	}
	if live, ready := c.LivenessProbe.HTTPGet.Path, c.ReadinessProbe.HTTPGet.Path; live != "/healthz" || ready != "/readyz" {
		t.Errorf("%s: got probes of %s and %s, want /healthz and /readyz", from, live, ready)
	}
	checkStrategy(t, from, deployment)
	for _, object := range o {
		if m, ok := object.(*monitoring.ServiceMonitor); ok {
			if !matches(m.Spec.Selector.MatchLabels, service.Labels) || m.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
				t.Errorf("%s: got a service monitor of %v, want one that selects the service", from, m.Spec.Selector.MatchLabels)
			}
			// The rules expect the job syncd.
			first := append(m.Spec.Endpoints[0].RelabelConfigs, monitoring.RelabelConfig{})[0]
			if first.TargetLabel != "job" || first.Replacement == nil || *first.Replacement != "syncd" || first.Regex != "" {
				t.Errorf("%s: got first relabeling %+v, want one to the job syncd", from, first)
			}
		}
	}
}

// checkStrategy checks that an update runs two pods at the same time only if the state is not on a
// volume, because then the lease decides which pod works. It also checks that an update never waits
// for readiness, because a failing mapping makes a pod unready.
func checkStrategy(t *testing.T, from string, d *apps.Deployment) {
	t.Helper()
	onVolume := slices.ContainsFunc(d.Spec.Template.Spec.Volumes, func(v core.Volume) bool { return v.PersistentVolumeClaim != nil })
	got := d.Spec.Strategy
	switch {
	case onVolume && (got.Type != apps.RecreateDeploymentStrategyType || got.RollingUpdate != nil || *d.Spec.Replicas != 1):
		t.Errorf("%s: got strategy %q with %d replicas on a volume, want Recreate with 1", from, got.Type, *d.Spec.Replicas)
	case !onVolume && (got.Type != apps.RollingUpdateDeploymentStrategyType || got.RollingUpdate.MaxUnavailable.IntValue() < 1):
		t.Errorf("%s: got strategy %+v, want a rolling update that does not wait for readiness", from, got)
	}
}

func matches(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}
