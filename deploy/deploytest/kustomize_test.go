package deploytest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// builtFolders caches the manifests of folders, because several tests build the same folder.
var builtFolders = map[string][]string{}

// kustomize builds a folder in deploy/kubernetes.
func kustomize(t *testing.T, dir string) objects {
	t.Helper()
	if builtFolders[dir] == nil {
		builtFolders[dir] = build(t, dir, filesys.MakeFsOnDisk(), filepath.Join("..", "kubernetes", dir))
	}
	return decodeObjects(t, dir, builtFolders[dir])
}

func build(t *testing.T, name string, fs filesys.FileSystem, dir string) (manifests []string) {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fs, dir)
	if err != nil {
		t.Fatalf("build %s: %v", name, err)
	}
	for _, r := range built.Resources() {
		manifests = append(manifests, r.MustYaml())
	}
	return manifests
}

// kustomizeWith builds the base with components, as an operator's overlay would.
func kustomizeWith(t *testing.T, components ...string) objects {
	t.Helper()
	root, err := filepath.Abs("../kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	overlay := "resources: [" + relative(t, root, "base") + "]\nimages: [{name: syncd, newName: IMAGE, newTag: 0.1.0}]\ncomponents:\n"
	for _, c := range components {
		overlay += "- " + relative(t, root, "components/"+c) + "\n"
	}
	fs, dir := filesys.MakeFsOnDisk(), overlayDir(t)
	if err := fs.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(overlay)); err != nil {
		t.Fatal(err)
	}
	name := "base with " + filepath.Join(components...)
	return decodeObjects(t, name, build(t, name, fs, dir))
}

// kustomizeOnVolume builds a copy of an overlay with components/state-volume, which is commented
// out in the overlay.
func kustomizeOnVolume(t *testing.T, overlay string) objects {
	t.Helper()
	if name := overlay + " with a state volume"; builtFolders[name] == nil {
		dir := overlayDir(t)
		if err := os.CopyFS(dir, os.DirFS("../kubernetes")); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, overlay, "kustomization.yaml")
		const comment, line = "  # - ../../components/state-volume ", "  - ../../components/state-volume "
		text := read(t, "kubernetes/"+overlay+"/kustomization.yaml")
		if !strings.Contains(text, comment) {
			t.Fatalf("got no line %q in %s, want it", comment, overlay)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(text, comment, line, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		builtFolders[name] = build(t, name, filesys.MakeFsOnDisk(), filepath.Dir(file))
	}
	return decodeObjects(t, overlay, builtFolders[overlay+" with a state volume"])
}

// overlayDir returns a temporary folder with symbolic links resolved, because kustomize compares
// resolved paths.
func overlayDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// relative returns the path of a folder relative to a temporary folder, because kustomize rejects
// absolute paths.
func relative(t *testing.T, root, dir string) string {
	t.Helper()
	path, err := filepath.Rel(overlayDir(t), filepath.Join(root, dir))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func kustomized(t *testing.T) map[string]objects {
	t.Helper()
	return map[string]objects{
		"overlays/daemon":   kustomize(t, "overlays/daemon"),
		"overlays/cronjob":  kustomize(t, "overlays/cronjob"),
		"overlays/job":      kustomize(t, "overlays/job"),
		"state volume":      kustomizeWith(t, "irsa", "state-volume"),
		"daemon on volume":  kustomizeOnVolume(t, "overlays/daemon"),
		"cronjob on volume": kustomizeOnVolume(t, "overlays/cronjob"),
		"job on volume":     kustomizeOnVolume(t, "overlays/job"),
		"pod identity":      kustomizeWith(t, "pod-identity"),
		"instance profile":  kustomizeWith(t, "instance-profile", "monitoring"),
	}
}

func kustomizedWorkloads(t *testing.T) (all []workload) {
	t.Helper()
	for name, o := range kustomized(t) {
		all = append(all, o.workloads(t, name)...)
	}
	return all
}

func TestKustomizationsBuild(t *testing.T) {
	for name, o := range kustomized(t) {
		checkPods(t, name, o)
		if len(o.templates()) != 1 {
			t.Errorf("%s: got %d workloads, want 1: only one process may write a mapping", name, len(o.templates()))
		}
		if _, daemon := o["Deployment/syncd"]; daemon {
			checkDaemon(t, name, o)
		} else if o["Service/syncd"] != nil || o["PodDisruptionBudget/syncd"] != nil {
			t.Errorf("%s: got settings that only a daemon uses", name)
		}
	}
	kustomize(t, "base")
}

func TestNamespaceIsRestricted(t *testing.T) {
	namespace := one[*core.Namespace](t, kustomize(t, "base"))
	if got := namespace.Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
		t.Errorf("got pod security standard %q, want restricted", got)
	}
}

// TestPodsDifferOnlyInTheirCommand checks that the three copies of the pod in kustomize are the
// same except for their commands.
func TestPodsDifferOnlyInTheirCommand(t *testing.T) {
	alike := func(pod core.PodSpec) core.PodSpec {
		c := &pod.Containers[0]
		c.Args, c.Ports, c.LivenessProbe, c.ReadinessProbe, c.ImagePullPolicy = nil, nil, nil, nil, ""
		pod.RestartPolicy, pod.Volumes[0].ConfigMap.Name = "", ""
		return pod
	}
	want := alike(one[*apps.Deployment](t, kustomize(t, "overlays/daemon")).Spec.Template.Spec)
	compare := map[string]objects{
		"overlays/cronjob": kustomize(t, "overlays/cronjob"),
		"overlays/job":     kustomize(t, "overlays/job"),
	}
	for name, o := range compare {
		for _, template := range o.templates() {
			if diff := cmp.Diff(want, alike(template.Spec)); diff != "" {
				t.Errorf("%s differs from the daemon (-daemon +%s):\n%s", name, name, diff)
			}
		}
	}
}
