package deploytest_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// A difference is an intended difference between kustomize and the chart, with its reason. The test
// removes the differing parts from the objects of both before it compares them.
type difference struct {
	what, why string
	remove    func(set manifests)
}

// differences returns all intended differences between kustomize and the chart.
func differences() []difference {
	return []difference{
		{
			"labels of Helm", "the instance label distinguishes releases; the other labels are customary in charts",
			func(set manifests) {
				set.removeKeys("helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "app.kubernetes.io/instance")
			},
		},
		{
			"how a changed configuration starts new pods", "kustomize adds a hash to the ConfigMap's name, Helm adds a hash to an annotation of the pod",
			func(set manifests) { set.removeKeys("checksum/config"); set.unhash() },
		},
		{"the Namespace", "helm --create-namespace creates it", func(set manifests) { delete(set, "Namespace/syncd") }},
		{"the pod of helm test", "kustomize has no tests", func(set manifests) { delete(set, "Pod/syncd-test") }},
		{"imagePullPolicy", "kustomize does not set it; the Kubernetes default for an image with a tag is the same as the chart's value", func(set manifests) { set.removeKeys("imagePullPolicy") }},
		{
			"the Job's name", "a Job is immutable, so each revision of a release has its own Job; delete the Job of kustomize before you apply it again",
			func(set manifests) { set.rename("Job/syncd-1", "Job/syncd-backfill") },
		},
		{"helm.sh/resource-policy", "without it, helm uninstall would delete the volume with the ledger", func(set manifests) { set.removeKeys("helm.sh/resource-policy") }},
		{
			"credentials", "kustomize has a component with its own NetworkPolicy for each source; the chart has one NetworkPolicy",
			func(set manifests) { set.joinPolicies() },
		},
	}
}

// TestChartMatchesKustomize checks that kustomize and the chart produce the same objects for the
// same configuration, image and identity, except for the intended differences.
func TestChartMatchesKustomize(t *testing.T) {
	const irsa = `
serviceAccount:
  annotations:
    eks.amazonaws.com/role-arn: arn:aws:iam::222222222222:role/syncd-workload
    eks.amazonaws.com/sts-regional-endpoints: "true"
`
	for _, tt := range []struct {
		name, values, config string
		kustomize            objects
	}{
		{"deployment", irsa + "serviceMonitor: {enabled: true}\nprometheusRule: {enabled: true}", "base", kustomize(t, "overlays/daemon")},
		{"cronjob", irsa + "mode: cronjob", "base", kustomize(t, "overlays/cronjob")},
		{"job", irsa + "mode: job", "base", kustomize(t, "overlays/job")},
		{"pod identity", "networkPolicy: {podIdentity: true}", "base", kustomizeWith(t, "pod-identity")},
		{"instance profile", "networkPolicy: {instanceProfile: true}", "base", kustomizeWith(t, "instance-profile")},
		{"cronjob with a state volume", irsa + "mode: cronjob\nstateVolume: {enabled: true}", "components/state-volume", kustomizeOnVolume(t, "overlays/cronjob")},
		{"job with a state volume", irsa + "mode: job\nstateVolume: {enabled: true}", "components/state-volume", kustomizeOnVolume(t, "overlays/job")},
		{"state volume", irsa + "stateVolume: {enabled: true}", "components/state-volume", kustomizeWith(t, "irsa", "state-volume")},
	} {
		given := readValues(t, []byte(tt.values))
		given["config"] = readValues(t, []byte(read(t, "kubernetes/"+tt.config+"/syncd.yaml")))
		given["image"] = map[string]any{"repository": "IMAGE", "tag": "0.1.0"}
		got, want := plain(t, chartObjects(t, tt.name, given)), plain(t, tt.kustomize)
		for _, d := range differences() {
			d.remove(got)
			d.remove(want)
		}
		if diff := cmp.Diff(want.pruned(), got.pruned()); diff != "" {
			t.Errorf("%s (-kustomize +chart):\n%s", tt.name, diff)
		}
	}
}

// TestDifferencesAreDocumented checks that deploy/README.md mentions each difference.
func TestDifferencesAreDocumented(t *testing.T) {
	_, section, found := strings.Cut(read(t, "README.md"), "\n### Helm or kustomize\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("got no section Helm or kustomize in README.md, want one")
	}
	for _, d := range differences() {
		if !strings.Contains(section, "| "+d.what+" | "+d.why+" |") {
			t.Errorf("got no row on %s in README.md, want: | %s | %s |", d.what, d.what, d.why)
		}
	}
	if got := strings.Count(section, "\n| ") - 1; got != len(differences()) {
		t.Errorf("got %d rows of differences in README.md, want %d", got, len(differences()))
	}
}

// manifests are untyped objects by kind and name.
type manifests map[string]any

func plain(t *testing.T, o objects) manifests {
	t.Helper()
	set := manifests{}
	for name, object := range o {
		data, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		set[name] = any(readValues(t, data))
	}
	for _, object := range set {
		files, ok := object.(map[string]any)["data"].(map[string]any)
		if ok && files["syncd.yaml"] != nil {
			files["syncd.yaml"] = any(readValues(t, []byte(files["syncd.yaml"].(string))))
		}
	}
	return set
}

// each calls visit with every map in the objects, including the objects themselves.
func (set manifests) each(visit func(map[string]any)) {
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			visit(v)
			for _, element := range v {
				walk(element)
			}
		case []any:
			for _, element := range v {
				walk(element)
			}
		}
	}
	for _, object := range set {
		walk(object)
	}
}

func (set manifests) removeKeys(keys ...string) {
	set.each(func(m map[string]any) {
		for _, key := range keys {
			delete(m, key)
		}
	})
}

// unhash removes the hash from the ConfigMap's name and from the references to it.
func (set manifests) unhash() {
	hashed := regexp.MustCompile(`^((?:ConfigMap/)?syncd)-[a-z0-9]{10}$`)
	for name, object := range set {
		if match := hashed.FindStringSubmatch(name); match != nil {
			delete(set, name)
			set[match[1]] = object
		}
	}
	set.each(func(m map[string]any) {
		if name, ok := m["name"].(string); ok && hashed.MatchString(name) {
			m["name"] = hashed.FindStringSubmatch(name)[1]
		}
	})
}

func (set manifests) rename(from, to string) {
	object, ok := set[from].(map[string]any)
	if !ok {
		return
	}
	delete(set, from)
	_, object["metadata"].(map[string]any)["name"], _ = strings.Cut(to, "/")
	set[to] = object
}

// joinPolicies moves the egress rules of the network policies for Pod Identity and for instance
// profiles into the network policy of syncd.
func (set manifests) joinPolicies() {
	main := set["NetworkPolicy/syncd"].(map[string]any)["spec"].(map[string]any)
	for _, name := range []string{"NetworkPolicy/syncd-pod-identity", "NetworkPolicy/syncd-instance-profile"} {
		if other, ok := set[name].(map[string]any); ok {
			main["egress"] = slices.Concat(main["egress"].([]any), other["spec"].(map[string]any)["egress"].([]any))
			delete(set, name)
		}
	}
}

// pruned returns the set without empty values, which decoding into types leaves.
func (set manifests) pruned() map[string]any {
	var prune func(value any) any
	prune = func(value any) any {
		switch v := value.(type) {
		case map[string]any:
			for key, element := range v {
				if element = prune(element); element == nil {
					delete(v, key)
				} else {
					v[key] = element
				}
			}
			if len(v) == 0 {
				return nil
			}
		case []any:
			for i := range v {
				v[i] = prune(v[i])
			}
		}
		return value
	}
	for name := range set {
		set[name] = prune(set[name])
	}
	return set
}
