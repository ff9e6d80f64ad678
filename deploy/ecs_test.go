package deploy_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A taskDefinition is what the tests read of an ECS task definition.
type taskDefinition struct {
	Family               string
	CPU, Memory          string
	RuntimePlatform      struct{ CPUArchitecture string }
	ExecutionRoleARN     string
	TaskRoleARN          string
	ContainerDefinitions []containerDefinition
	Volumes              []struct {
		Name                   string
		EFSVolumeConfiguration struct{ TransitEncryption string }
	}
}

type containerDefinition struct {
	Image                  string
	Command                []string
	User                   string
	ReadonlyRootFilesystem bool
	StopTimeout            int64
	LinuxParameters        struct{ Capabilities struct{ Drop []string } }
	Environment            []struct{ Name, Value string }
	Secrets                []struct{ Name, ValueFrom string }
	PortMappings           []struct {
		Name          string
		ContainerPort int
	}
	MountPoints []struct {
		SourceVolume  string
		ContainerPath string
		ReadOnly      bool
	}
	LogConfiguration struct{ LogDriver string }
	HealthCheck      any
}

func taskFiles() []string {
	return []string{"ecs/task-definition-service.json", "ecs/task-definition-scheduled.json", "ecs/task-definition-oneshot.json"}
}

func tasks(t *testing.T) []workload {
	t.Helper()
	var ws []workload
	for _, file := range taskFiles() {
		ws = append(ws, taskWorkload(t, file))
	}
	return ws
}

func taskWorkload(t *testing.T, file string) workload {
	t.Helper()
	task := decodeTask(t, file)
	c := task.ContainerDefinitions[0]
	w := workload{
		file:         file,
		args:         c.Command,
		grace:        time.Duration(c.StopTimeout) * time.Second,
		user:         c.User,
		readOnlyRoot: c.ReadonlyRootFilesystem,
		dropped:      c.LinuxParameters.Capabilities.Drop,
		ports:        map[string]int{},
		files:        []string{configInImage(t)},
		config:       parseConfig(t, read(t, "ecs/syncd.yaml"), "syncd.yaml"),
	}
	for _, p := range c.PortMappings {
		w.ports[p.Name] = p.ContainerPort
	}
	for _, s := range c.Secrets {
		w.secretEnv = append(w.secretEnv, s.Name)
	}
	for _, m := range c.MountPoints {
		if !m.ReadOnly {
			w.volumes = append(w.volumes, m.ContainerPath)
		}
	}
	return w
}

func decodeTask(t *testing.T, file string) taskDefinition {
	t.Helper()
	task := decode[taskDefinition](t, file)
	if len(task.ContainerDefinitions) != 1 {
		t.Fatalf("%s: got %d containers, want 1", file, len(task.ContainerDefinitions))
	}
	return task
}

// configInImage is the path to which the Dockerfile for ECS copies the configuration.
func configInImage(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^COPY .*syncd\.yaml (\S+)$`).FindSubmatch(read(t, "ecs/Dockerfile"))
	if m == nil {
		t.Fatal("got no COPY of syncd.yaml in ecs/Dockerfile, want one")
	}
	return string(m[1])
}

func TestTasksMountTheirVolumes(t *testing.T) {
	for _, file := range taskFiles() {
		task := decodeTask(t, file)
		var declared, mounted []string
		for _, v := range task.Volumes {
			declared = append(declared, v.Name)
			if got := v.EFSVolumeConfiguration.TransitEncryption; got != "ENABLED" {
				t.Errorf("%s: got transit encryption %q of volume %s, want ENABLED", file, got, v.Name)
			}
		}
		for _, m := range task.ContainerDefinitions[0].MountPoints {
			mounted = append(mounted, m.SourceVolume)
		}
		if diff := cmp.Diff(declared, mounted); diff != "" {
			t.Errorf("%s: volumes (-declared +mounted):\n%s", file, diff)
		}
	}
}

func TestTasksHaveNoHealthCheck(t *testing.T) {
	for _, file := range taskFiles() {
		// The command would run inside the image, and there is nothing in it to run.
		if got := decodeTask(t, file).ContainerDefinitions[0].HealthCheck; got != nil {
			t.Errorf("%s: got health check %v, want none", file, got)
		}
	}
}

// TestTasksDifferOnlyInTheirCommand keeps the three copies of the task from drifting apart.
func TestTasksDifferOnlyInTheirCommand(t *testing.T) {
	alike := func(file string) taskDefinition {
		task := decodeTask(t, file)
		task.Family = ""
		c := &task.ContainerDefinitions[0]
		c.Command, c.PortMappings = nil, nil
		return task
	}
	want := alike(taskFiles()[0])
	for _, file := range taskFiles()[1:] {
		if diff := cmp.Diff(want, alike(file)); diff != "" {
			t.Errorf("%s differs from the service (-service +%s):\n%s", file, file, diff)
		}
	}
}

func TestServiceHasOneWriter(t *testing.T) {
	service := decode[struct {
		TaskDefinition          string
		DesiredCount            int
		DeploymentConfiguration struct{ MinimumHealthyPercent, MaximumPercent int }
	}](t, "ecs/service.json")
	if service.DesiredCount != 1 {
		t.Errorf("got desiredCount %d, want 1", service.DesiredCount)
	}
	// 0 and 100: the old task stops before the new one starts.
	if d := service.DeploymentConfiguration; d.MinimumHealthyPercent != 0 || d.MaximumPercent != 100 {
		t.Errorf("got a deployment between %d and %d percent, want 0 and 100", d.MinimumHealthyPercent, d.MaximumPercent)
	}
	if got, want := service.TaskDefinition, decodeTask(t, "ecs/task-definition-service.json").Family; got != want {
		t.Errorf("got task definition %q, want %q", got, want)
	}
}

func TestScheduleStartsTheScheduledTask(t *testing.T) {
	schedule := decode[struct {
		Target struct {
			EcsParameters struct {
				TaskDefinitionArn string
				TaskCount         int
			}
		}
	}](t, "ecs/eventbridge-schedule.json")
	target := schedule.Target.EcsParameters
	family := regexp.MustCompile(`:task-definition/([^:]+)$`).FindStringSubmatch(target.TaskDefinitionArn)
	if want := decodeTask(t, "ecs/task-definition-scheduled.json").Family; !slices.Contains(family, want) {
		t.Errorf("got task definition %q, want family %s without a revision", target.TaskDefinitionArn, want)
	}
	if target.TaskCount != 1 {
		t.Errorf("got %d tasks, want 1", target.TaskCount)
	}
}

// decode reads a JSON file; AWS spells its fields in camelCase, and encoding/json matches them without regard to case.
func decode[T any](t *testing.T, file string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(read(t, file), &v); err != nil {
		t.Fatalf("decode %s: %v", file, err)
	}
	return v
}
