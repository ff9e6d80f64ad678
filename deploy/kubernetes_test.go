package deploy_test

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// A podSpec is what the tests read of a Kubernetes PodSpec.
type podSpec struct {
	TerminationGracePeriodSeconds int64        `yaml:"terminationGracePeriodSeconds"`
	ServiceAccountName            string       `yaml:"serviceAccountName"`
	RestartPolicy                 string       `yaml:"restartPolicy"`
	SecurityContext               podSecurity  `yaml:"securityContext"`
	Containers                    []container  `yaml:"containers"`
	Volumes                       []kubeVolume `yaml:"volumes"`
}

type podSecurity struct {
	RunAsNonRoot   bool  `yaml:"runAsNonRoot"`
	RunAsUser      int64 `yaml:"runAsUser"`
	RunAsGroup     int64 `yaml:"runAsGroup"`
	FSGroup        int64 `yaml:"fsGroup"`
	SeccompProfile struct {
		Type string `yaml:"type"`
	} `yaml:"seccompProfile"`
}

type container struct {
	Image           string            `yaml:"image"`
	Args            []string          `yaml:"args"`
	Env             []any             `yaml:"env"`
	Resources       any               `yaml:"resources"`
	Ports           []containerPort   `yaml:"ports"`
	LivenessProbe   probe             `yaml:"livenessProbe"`
	ReadinessProbe  probe             `yaml:"readinessProbe"`
	SecurityContext containerSecurity `yaml:"securityContext"`
	VolumeMounts    []volumeMount     `yaml:"volumeMounts"`
}

type containerPort struct {
	Name          string `yaml:"name"`
	ContainerPort int    `yaml:"containerPort"`
}

type probe struct {
	HTTPGet struct {
		Path string `yaml:"path"`
		Port string `yaml:"port"`
	} `yaml:"httpGet"`
}

type containerSecurity struct {
	AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
	ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
	Capabilities             struct {
		Drop []string `yaml:"drop"`
	} `yaml:"capabilities"`
}

type volumeMount struct {
	Name      string `yaml:"name"`
	MountPath string `yaml:"mountPath"`
	ReadOnly  bool   `yaml:"readOnly"`
}

type kubeVolume struct {
	Name      string `yaml:"name"`
	ConfigMap struct {
		Name string `yaml:"name"`
	} `yaml:"configMap"`
	Secret struct {
		SecretName string `yaml:"secretName"`
	} `yaml:"secret"`
	PersistentVolumeClaim struct {
		ClaimName string `yaml:"claimName"`
	} `yaml:"persistentVolumeClaim"`
}

// podFiles names the manifests that run a pod, and where in each the pod stands.
func podFiles() map[string]string {
	return map[string]string{
		"kubernetes/deployment.yaml": "$.spec.template.spec",
		"kubernetes/cronjob.yaml":    "$.spec.jobTemplate.spec.template.spec",
		"kubernetes/job.yaml":        "$.spec.template.spec",
	}
}

func pods(t *testing.T) []workload {
	t.Helper()
	var ws []workload
	for file, at := range podFiles() {
		ws = append(ws, podWorkload(t, file, field[podSpec](t, file, at)))
	}
	return ws
}

func podWorkload(t *testing.T, file string, pod podSpec) workload {
	t.Helper()
	if len(pod.Containers) != 1 {
		t.Fatalf("%s: got %d containers, want 1", file, len(pod.Containers))
	}
	c := pod.Containers[0]
	w := workload{
		file:         file,
		args:         c.Args,
		grace:        time.Duration(pod.TerminationGracePeriodSeconds) * time.Second,
		user:         fmt.Sprintf("%d:%d", pod.SecurityContext.RunAsUser, pod.SecurityContext.RunAsGroup),
		readOnlyRoot: c.SecurityContext.ReadOnlyRootFilesystem,
		dropped:      c.SecurityContext.Capabilities.Drop,
		ports:        map[string]int{},
	}
	for _, p := range c.Ports {
		w.ports[p.Name] = p.ContainerPort
	}
	for _, m := range c.VolumeMounts {
		mount(t, &w, m, pod.Volumes)
	}
	if w.config == nil {
		t.Fatalf("%s: got no volume with a configuration, want one", file)
	}
	return w
}

// mount adds to w what the volume behind m brings: a configuration, a secret, or a place to write.
func mount(t *testing.T, w *workload, m volumeMount, volumes []kubeVolume) {
	t.Helper()
	i := slices.IndexFunc(volumes, func(v kubeVolume) bool { return v.Name == m.Name })
	if i < 0 {
		t.Fatalf("%s: got a mount of %q, want a volume of that name", w.file, m.Name)
	}
	switch v := volumes[i]; {
	case v.ConfigMap.Name != "":
		w.files = append(w.files, path.Join(m.MountPath, "syncd.yaml"))
		data := field[string](t, "kubernetes/configmap.yaml", "$.data.'syncd.yaml'")
		w.config = parseConfig(t, []byte(data), "configmap.yaml")
	case v.Secret.SecretName != "":
		w.files = append(w.files, path.Join(m.MountPath, "external-id"))
	case v.PersistentVolumeClaim.ClaimName != "" && !m.ReadOnly:
		w.volumes = append(w.volumes, m.MountPath)
	}
}

func TestPodsMeetTheRestrictedStandard(t *testing.T) {
	for file, at := range podFiles() {
		pod := field[podSpec](t, file, at)
		if !pod.SecurityContext.RunAsNonRoot {
			t.Errorf("%s: got runAsNonRoot false, want true", file)
		}
		if got := pod.SecurityContext.SeccompProfile.Type; got != "RuntimeDefault" {
			t.Errorf("%s: got seccomp profile %q, want RuntimeDefault", file, got)
		}
		// The volume would belong to root, and the user of the image could not write to it.
		if got, want := pod.SecurityContext.FSGroup, pod.SecurityContext.RunAsGroup; got != want {
			t.Errorf("%s: got fsGroup %d, want %d", file, got, want)
		}
		if e := pod.Containers[0].SecurityContext.AllowPrivilegeEscalation; e == nil || *e {
			t.Errorf("%s: got privilege escalation allowed, want it refused", file)
		}
	}
}

// TestPodsDifferOnlyInTheirCommand keeps the three copies of the pod from drifting apart.
func TestPodsDifferOnlyInTheirCommand(t *testing.T) {
	alike := func(file string) podSpec {
		pod := field[podSpec](t, file, podFiles()[file])
		pod.RestartPolicy = ""
		c := &pod.Containers[0]
		c.Args, c.Ports, c.LivenessProbe, c.ReadinessProbe = nil, nil, probe{}, probe{}
		return pod
	}
	want := alike("kubernetes/deployment.yaml")
	for file := range podFiles() {
		if diff := cmp.Diff(want, alike(file)); diff != "" {
			t.Errorf("%s differs from the deployment (-deployment +%s):\n%s", file, path.Base(file), diff)
		}
	}
}

func TestPodsFindWhatTheyName(t *testing.T) {
	names := map[string]string{}
	for _, kind := range []string{"namespace", "serviceaccount", "configmap", "pvc"} {
		names[kind] = field[string](t, "kubernetes/"+kind+".yaml", "$.metadata.name")
	}
	for file, at := range podFiles() {
		pod := field[podSpec](t, file, at)
		got := map[string]string{
			"namespace":      field[string](t, file, "$.metadata.namespace"),
			"serviceaccount": pod.ServiceAccountName,
		}
		for _, v := range pod.Volumes {
			if v.ConfigMap.Name != "" {
				got["configmap"] = v.ConfigMap.Name
			}
			if v.PersistentVolumeClaim.ClaimName != "" {
				got["pvc"] = v.PersistentVolumeClaim.ClaimName
			}
		}
		if diff := cmp.Diff(names, got); diff != "" {
			t.Errorf("%s names what is not there (-declared +named):\n%s", file, diff)
		}
	}
}

func TestDeploymentHasOneWriter(t *testing.T) {
	const file = "kubernetes/deployment.yaml"
	if got := field[int](t, file, "$.spec.replicas"); got != 1 {
		t.Errorf("got %d replicas, want 1", got)
	}
	if got := field[string](t, file, "$.spec.strategy.type"); got != "Recreate" {
		t.Errorf("got strategy %q, want Recreate", got)
	}
	if got := field[string](t, "kubernetes/cronjob.yaml", "$.spec.concurrencyPolicy"); got != "Forbid" {
		t.Errorf("got concurrencyPolicy %q, want Forbid", got)
	}
}

func TestServiceReachesTheDeployment(t *testing.T) {
	const file = "kubernetes/deployment.yaml"
	labels := field[map[string]string](t, file, "$.spec.template.metadata.labels")
	selectors := map[string]map[string]string{
		"service":    field[map[string]string](t, "kubernetes/service.yaml", "$.spec.selector"),
		"deployment": field[map[string]string](t, file, "$.spec.selector.matchLabels"),
	}
	for of, selector := range selectors {
		if diff := cmp.Diff(labels, selector); diff != "" {
			t.Errorf("selector of the %s (-pod +selector):\n%s", of, diff)
		}
	}
	c := field[podSpec](t, file, podFiles()[file]).Containers[0]
	ports := map[string]string{
		"service":   field[string](t, "kubernetes/service.yaml", "$.spec.ports[0].targetPort"),
		"liveness":  c.LivenessProbe.HTTPGet.Port,
		"readiness": c.ReadinessProbe.HTTPGet.Port,
	}
	for of, port := range ports {
		if port != c.Ports[0].Name {
			t.Errorf("got port %q of the %s, want %q", port, of, c.Ports[0].Name)
		}
	}
}

func TestKustomizationIsComplete(t *testing.T) {
	const file = "kubernetes/kustomization.yaml"
	resources := field[[]string](t, file, "$.resources")
	for _, r := range resources {
		read(t, "kubernetes/"+r)
	}
	alternatives := []string{"cronjob.yaml", "job.yaml", "kustomization.yaml"}
	walk(t, func(name string) {
		dir, base := path.Split(name)
		if dir == "kubernetes/" && slices.Contains(resources, base) == slices.Contains(alternatives, base) {
			t.Errorf("got %s listed: %t, want %t", base, slices.Contains(resources, base), slices.Contains(alternatives, base))
		}
	})
	image := field[string](t, file, "$.images[0].name")
	for pod, at := range podFiles() {
		if got := field[podSpec](t, pod, at).Containers[0].Image; got != image {
			t.Errorf("%s: got image %q, want %q, which the kustomization replaces", pod, got, image)
		}
	}
}

// field decodes the part of a YAML file that stands at a path ("$.spec.replicas").
func field[T any](t *testing.T, file, at string) T {
	t.Helper()
	p, err := yaml.PathString(at)
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := p.Read(bytes.NewReader(read(t, file)), &v); err != nil {
		t.Fatalf("%s: read %s: %v", file, at, err)
	}
	return v
}
