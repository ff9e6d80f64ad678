package deploytest_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A word is a placeholder for something that only the operator knows.
type word struct{ name, example string }

// words returns the placeholders listed in ecs/README.md, in the order of the README.
func words(t *testing.T) []word {
	t.Helper()
	var found []word
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(read(t, "ecs/README.md"), -1) {
		found = append(found, word{row[1], row[2]})
	}
	if len(found) == 0 {
		t.Fatal("got no words in ecs/README.md, want a table of them")
	}
	return found
}

// filledIn returns a file with every placeholder replaced by its example, in the README's order.
func filledIn(t *testing.T, name string) string {
	t.Helper()
	text := read(t, name)
	for _, w := range words(t) {
		text = strings.ReplaceAll(text, w.name, w.example)
	}
	return text
}

// decodeInput decodes the JSON of an AWS request into the SDK's type. The SDK's field names differ
// from AWS's only in case, which encoding/json ignores. Unknown fields are errors.
func decodeInput[T any](t *testing.T, name string) *T {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader([]byte(filledIn(t, name))))
	dec.DisallowUnknownFields()
	input := new(T)
	if err := dec.Decode(input); err != nil {
		t.Fatalf("%s: decode: %v", name, err)
	}
	return input
}

func taskFiles() []string {
	return []string{"ecs/task-definition-service.json", "ecs/task-definition-scheduled.json", "ecs/task-definition-oneshot.json"}
}

func decodeTask(t *testing.T, file string) *ecs.RegisterTaskDefinitionInput {
	t.Helper()
	task := decodeInput[ecs.RegisterTaskDefinitionInput](t, file)
	if len(task.ContainerDefinitions) != 1 {
		t.Fatalf("%s: got %d containers, want 1", file, len(task.ContainerDefinitions))
	}
	return task
}

func taskWorkloads(t *testing.T) (all []workload) {
	t.Helper()
	for _, file := range taskFiles() {
		all = append(all, taskWorkload(t, file))
	}
	return all
}

func taskWorkload(t *testing.T, file string) workload {
	t.Helper()
	c := decodeTask(t, file).ContainerDefinitions[0]
	w := workload{
		name:         file,
		args:         c.Command,
		grace:        time.Duration(aws.ToInt32(c.StopTimeout)) * time.Second,
		user:         aws.ToString(c.User),
		readOnlyRoot: aws.ToBool(c.ReadonlyRootFilesystem),
		dropped:      c.LinuxParameters.Capabilities.Drop,
		ports:        map[string]int32{},
		files:        []string{configInImage(t)},
		config:       parseConfig(t, filledIn(t, "ecs/syncd.yaml"), "ecs/syncd.yaml"),
	}
	for _, p := range c.PortMappings {
		w.ports[aws.ToString(p.Name)] = aws.ToInt32(p.ContainerPort)
	}
	for _, s := range c.Secrets {
		w.secretEnv = append(w.secretEnv, aws.ToString(s.Name))
	}
	return w
}

// configInImage returns the path to which the ECS Dockerfile copies the configuration.
func configInImage(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^COPY .*syncd\.yaml (\S+)$`).FindStringSubmatch(read(t, "ecs/Dockerfile"))
	if m == nil {
		t.Fatal("got no COPY of syncd.yaml in ecs/Dockerfile, want one")
	}
	return m[1]
}

// TestPlaceholdersAreListed checks that the README lists every placeholder, that every listed
// placeholder occurs in a file, and that a placeholder is listed before every placeholder that is a
// part of its name, because placeholders are replaced in the order of the list.
func TestPlaceholdersAreListed(t *testing.T) {
	listed := map[string]bool{}
	for i, w := range words(t) {
		listed[w.name] = false
		for _, later := range words(t)[i+1:] {
			if strings.Contains(later.name, w.name) {
				t.Errorf("got %s before %s, want it after", w.name, later.name)
			}
		}
	}
	files := append(taskFiles(), "ecs/service.json", "ecs/run-task.json", "ecs/eventbridge-schedule.json", "ecs/syncd.yaml")
	files = append(files, roleFiles()...)
	for _, file := range files {
		for _, w := range words(t) {
			listed[w.name] = listed[w.name] || strings.Contains(read(t, file), w.name)
		}
		known := []string{"CMD", "ALL", "FARGATE", "LINUX", "ENABLED", "DISABLED", "OFF", "README", "GOMEMLIMIT", "SYNCD_EXTERNAL_ID", "UTC"}
		for _, found := range regexp.MustCompile(`\b[A-Z][A-Z_]{2,}\b`).FindAllString(filledIn(t, file), -1) {
			if !slices.Contains(known, found) {
				t.Errorf("%s: got the word %s, want it in the README", file, found)
			}
		}
	}
	for name, used := range listed {
		if !used {
			t.Errorf("got %s in the README, want a file that uses it", name)
		}
	}
}

// TestTasksDifferOnlyInTheirCommand checks that the three task definitions are the same except for
// their commands.
func TestTasksDifferOnlyInTheirCommand(t *testing.T) {
	alike := func(file string) *ecs.RegisterTaskDefinitionInput {
		task := decodeTask(t, file)
		task.Family = nil
		c := &task.ContainerDefinitions[0]
		c.Command, c.PortMappings, c.HealthCheck = nil, nil, nil
		delete(c.LogConfiguration.Options, "awslogs-stream-prefix")
		return task
	}
	unexported := cmpopts.IgnoreUnexported(
		ecs.RegisterTaskDefinitionInput{}, ecstypes.ContainerDefinition{}, ecstypes.KernelCapabilities{}, ecstypes.KeyValuePair{},
		ecstypes.LinuxParameters{}, ecstypes.LogConfiguration{}, ecstypes.RuntimePlatform{}, ecstypes.Secret{},
	)
	want := alike(taskFiles()[0])
	for _, file := range taskFiles()[1:] {
		if diff := cmp.Diff(want, alike(file), unexported); diff != "" {
			t.Errorf("%s differs from the service (-service +%s):\n%s", file, file, diff)
		}
	}
}

func TestOnlyTheDaemonHasAHealthCheck(t *testing.T) {
	for _, file := range taskFiles() {
		c := decodeTask(t, file).ContainerDefinitions[0]
		if c.Command[0] != "run" {
			if c.HealthCheck != nil {
				t.Errorf("%s: got a health check, want none: a pass does not serve HTTP", file)
			}
			continue
		}
		// The health check is a command without a shell (CMD), because the image has no shell.
		if want := []string{"CMD", "/syncd", "healthcheck", "--config", configInImage(t)}; c.HealthCheck == nil || !slices.Equal(c.HealthCheck.Command, want) {
			t.Errorf("%s: got health check %+v, want %q", file, c.HealthCheck, want)
		}
	}
}

func TestServiceStartsTheDaemon(t *testing.T) {
	service := decodeInput[ecs.CreateServiceInput](t, "ecs/service.json")
	if got := aws.ToInt32(service.DesiredCount); got != 1 {
		t.Errorf("got desiredCount %d, want 1", got)
	}
	// With at least 0 and at most 200 percent healthy tasks, the old and the new task run at the
	// same time, and neither waits for the other.
	if d := service.DeploymentConfiguration; aws.ToInt32(d.MinimumHealthyPercent) != 0 || aws.ToInt32(d.MaximumPercent) != 200 {
		t.Errorf("got a deployment between %d and %d percent, want 0 and 200", *d.MinimumHealthyPercent, *d.MaximumPercent)
	}
	if got, want := aws.ToString(service.TaskDefinition), aws.ToString(decodeTask(t, taskFiles()[0]).Family); got != want {
		t.Errorf("got task definition %q, want %q", got, want)
	}
}

func TestScheduleAndRunTaskStartTheirTasks(t *testing.T) {
	run := decodeInput[ecs.RunTaskInput](t, "ecs/run-task.json")
	if got, want := aws.ToString(run.TaskDefinition), aws.ToString(decodeTask(t, taskFiles()[2]).Family); got != want {
		t.Errorf("run-task: got task definition %q, want %q", got, want)
	}
	target := decodeInput[scheduler.CreateScheduleInput](t, "ecs/eventbridge-schedule.json").Target.EcsParameters
	_, family, _ := strings.Cut(aws.ToString(target.TaskDefinitionArn), ":task-definition/")
	if want := aws.ToString(decodeTask(t, taskFiles()[1]).Family); family != want {
		t.Errorf("schedule: got task definition %q, want family %s without a revision", family, want)
	}
	if got := aws.ToInt32(target.TaskCount); got != 1 {
		t.Errorf("schedule: got %d tasks, want 1", got)
	}
}
