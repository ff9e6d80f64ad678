package deploytest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"syncd/internal/access/policy"
)

const (
	sourceKey      = "arn:aws:kms:us-west-2:111111111111:key/11111111-1111-1111-1111-111111111111"
	destinationKey = "arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-0000-0000-000000000000"
	consumerRole   = "arn:aws:iam::222222222222:role/syncd"
	workloadRole   = "arn:aws:iam::222222222222:role/syncd-workload"
)

// A sharing is one mapping, as lines of syncd.yaml and as variables of the modules.
type sharing struct {
	name            string
	role, copy      string // lines of syncd.yaml
	prefixes        [2]string
	sourceKey       bool
	owner, consumer map[string]cty.Value // variables in addition to those of every sharing
}

func sharings() []sharing {
	return []sharing{
		{name: "a whole bucket", sourceKey: true},
		{name: "prefixes", sourceKey: true, prefixes: [2]string{"exports/", "in/"}},
		{name: "the owner's key is not known"},
		{
			name: "no tags, with deletes", sourceKey: true, copy: "copy: {tags: omit}\n    delete: {enabled: true}",
			owner:    map[string]cty.Value{"copy_tags": cty.False},
			consumer: map[string]cty.Value{"copy_tags": cty.False, "allow_delete": cty.True},
		},
		{
			name: "session tags and a source identity", sourceKey: true, role: "tags: {team: data}\n    source_identity: syncd",
			consumer: map[string]cty.Value{
				"session_tags": cty.MapVal(map[string]cty.Value{"team": cty.StringVal("data")}), "source_identity": cty.StringVal("syncd"),
			},
		},
	}
}

// documents returns the policies that `syncd policy` writes for the sharing, by kind and side
// ("bucket of owner").
func (s sharing) documents(t *testing.T) map[string]string {
	t.Helper()
	c := parseConfig(t, fmt.Sprintf(`
state: s3://consumer-state/syncd/
checkpoint: {region: eu-west-1, role: consumer, account: "222222222222"}
roles:
  consumer:
    arn: %s
    external_id: an-external-id
    %s
mappings:
  - name: exports
    source: {bucket: owner-exports, prefix: "%s", region: us-west-2, account: "111111111111", role: consumer}
    destination:
      bucket: consumer-exports
      prefix: "%s"
      region: eu-west-1
      account: "222222222222"
      role: consumer
      kms_key: %s
    %s
`, consumerRole, s.role, s.prefixes[0], s.prefixes[1], destinationKey, s.copy), s.name)
	options := policy.Options{Principal: workloadRole, ExternalID: func(string) (string, error) { return "an-external-id", nil }}
	if s.sourceKey {
		options.SourceKeys = []string{sourceKey}
	}
	made, err := policy.Documents(c, options)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, d := range made {
		body, err := json.Marshal(d.Body)
		if err != nil {
			t.Fatal(err)
		}
		found[fmt.Sprint(d.Kind, " of ", d.Side, " ", d.Target)] = string(body)
	}
	return found
}

func (s sharing) ownerVariables() map[string]cty.Value {
	vars := map[string]cty.Value{
		"bucket": cty.StringVal("owner-exports"), "prefix": cty.StringVal(s.prefixes[0]), "region": cty.StringVal("us-west-2"),
		"destination_region": cty.StringVal("eu-west-1"), "kms_key_arn": cty.StringVal(sourceKey),
		"consumer_role_arn": cty.StringVal(consumerRole),
	}
	maps.Copy(vars, s.owner)
	return vars
}

func (s sharing) consumerVariables() map[string]cty.Value {
	source := map[string]cty.Value{
		"bucket": cty.StringVal("owner-exports"), "prefix": cty.StringVal(s.prefixes[0]), "region": cty.StringVal("us-west-2"),
		"account_id": cty.StringVal("111111111111"),
	}
	if s.sourceKey {
		source["kms_key_arn"] = cty.StringVal(sourceKey)
	}
	vars := map[string]cty.Value{
		"account_id": cty.StringVal("222222222222"), "region": cty.StringVal("eu-west-1"), "external_id": cty.StringVal("an-external-id"),
		"source_bucket": cty.ObjectVal(source), "workload_role_arn": cty.StringVal(workloadRole),
		"destination": cty.ObjectVal(map[string]cty.Value{
			"bucket": cty.StringVal("consumer-exports"), "prefix": cty.StringVal(s.prefixes[1]), "kms_key_arn": cty.StringVal(destinationKey),
		}),
		"state": cty.ObjectVal(map[string]cty.Value{"bucket": cty.StringVal("consumer-state")}),
	}
	maps.Copy(vars, s.consumer)
	return vars
}

// made returns the attributes that the consumer module's resources would have after creation.
func made(key, workload string) map[string]cty.Value {
	list := func(arn string) cty.Value {
		if arn == "" {
			return cty.EmptyTupleVal
		}
		return cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"arn": cty.StringVal(arn)})})
	}
	return map[string]cty.Value{
		"aws_kms_key":  cty.ObjectVal(map[string]cty.Value{"destination": list(key)}),
		"aws_iam_role": cty.ObjectVal(map[string]cty.Value{"workload": list(workload)}),
	}
}

func TestTerraformGrantsWhatSyncdPolicyWrites(t *testing.T) {
	for _, s := range sharings() {
		t.Run(s.name, func(t *testing.T) {
			documents := s.documents(t)
			owner, err := loadModule(t, "owner").evaluate(s.ownerVariables(), nil)
			if err != nil {
				t.Fatal(err)
			}
			consumer, err := loadModule(t, "consumer").evaluate(s.consumerVariables(), made("", ""))
			if err != nil {
				t.Fatal(err)
			}
			compared := map[string]string{
				"bucket of owner owner-exports":        encoded(t, owner.Variables["local"].GetAttr("bucket_policy")),
				"identity of consumer " + consumerRole: encoded(t, consumer.Variables["local"].GetAttr("permissions")),
				"trust of consumer " + consumerRole:    encoded(t, consumer.Variables["local"].GetAttr("trust")),
				"bucket of consumer consumer-exports":  encoded(t, consumer.Variables["local"].GetAttr("destination_policy")),
				"bucket of consumer consumer-state":    encoded(t, consumer.Variables["local"].GetAttr("state_policy")),
			}
			if s.sourceKey {
				compared["key of owner "+sourceKey] = encoded(t, owner.Variables["local"].GetAttr("key_policy"))
			}
			for name, got := range compared {
				want, written := documents[name]
				if !written {
					t.Errorf("got no %s of syncd policy, want one of %q", name, slices.Sorted(maps.Keys(documents)))
					continue
				}
				if diff := gocmp.Diff(grants(t, want), grants(t, got)); diff != "" {
					t.Errorf("%s (-syncd policy +Terraform):\n%s", name, diff)
				}
			}
		})
	}
}

func encoded(t *testing.T, value cty.Value) string {
	t.Helper()
	text, err := stdlib.JSONEncode(value)
	if err != nil {
		t.Fatal(err)
	}
	return text.AsString()
}

// TestTerraformCreatesTheWorkload checks that each of the three ways to run syncd creates a role
// that one service can assume.
func TestTerraformCreatesTheWorkload(t *testing.T) {
	text := cty.StringVal
	const fromPod = "[ if aws:RequestTag/kubernetes-namespace StringEquals [syncd]" +
		"  if aws:RequestTag/kubernetes-service-account StringEquals [syncd]  if aws:SourceAccount StringEquals [222222222222]" +
		"  if aws:SourceArn ArnEquals [arn:aws:eks:eu-west-1:222222222222:cluster/data]]"
	const provider = "arn:aws:iam::222222222222:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
	ways := map[string]struct {
		value cty.Value
		want  []string
	}{
		"irsa": {
			cty.ObjectVal(map[string]cty.Value{"oidc_provider_arn": text(provider)}),
			[]string{
				"Allow map[Federated:" + provider + "] sts:AssumeRoleWithWebIdentity <nil>" +
					"[ if oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:aud StringEquals [sts.amazonaws.com]" +
					"  if oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:sub StringEquals [system:serviceaccount:syncd:syncd]]",
			},
		},
		"pod_identity": {
			cty.ObjectVal(map[string]cty.Value{"cluster_name": text("data")}),
			[]string{
				"Allow map[Service:pods.eks.amazonaws.com] sts:AssumeRole <nil>" + fromPod,
				"Allow map[Service:pods.eks.amazonaws.com] sts:TagSession <nil>" + fromPod,
			},
		},
		"ecs": {
			ecsVariable(),
			[]string{
				"Allow map[Service:ecs-tasks.amazonaws.com] sts:AssumeRole <nil>[ if aws:SourceAccount StringEquals [222222222222]" +
					"  if aws:SourceArn ArnLike [arn:aws:ecs:us-west-2:222222222222:*]]",
			},
		},
	}
	for name, way := range ways {
		vars := sharings()[0].consumerVariables()
		delete(vars, "workload_role_arn")
		vars[name] = way.value
		scope, err := loadModule(t, "consumer").evaluate(vars, made("", workloadRole))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		trust := cty.ObjectVal(map[string]cty.Value{
			"Version": text("2012-10-17"), "Statement": scope.Variables["local"].GetAttr("workload_trusts"),
		})
		if diff := gocmp.Diff(way.want, grants(t, encoded(t, trust))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func ecsVariable() cty.Value {
	text := cty.StringVal
	return cty.ObjectVal(map[string]cty.Value{
		"cluster_arn": text("arn:aws:ecs:us-west-2:222222222222:cluster/data"),
		"image":       text("222222222222.dkr.ecr.us-west-2.amazonaws.com/syncd-configured:0.1.0"),
		"subnets":     cty.TupleVal([]cty.Value{text("subnet-00000000000000000")}), "security_groups": cty.EmptyTupleVal,
		"external_id_secret_arn": text("arn:aws:secretsmanager:us-west-2:222222222222:secret:syncd/external-id-AbCdEf"),
	})
}

// TestTerraformTaskMatchesECS checks that the module's task and the task in deploy/ecs stay the
// same.
func TestTerraformTaskMatchesECS(t *testing.T) {
	vars := sharings()[0].consumerVariables()
	vars["region"], vars["ecs"] = cty.StringVal("us-west-2"), ecsVariable()
	scope, err := loadModule(t, "consumer").evaluate(vars, made("", ""))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(encoded(t, scope.Variables["local"].GetAttr("container").GetAttr("definition"))))
	dec.DisallowUnknownFields()
	var got ecstypes.ContainerDefinition
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := decodeTask(t, "ecs/task-definition-service.json").ContainerDefinitions[0]
	// The module derives the value from the task's memory.
	want.Environment[0].Value = got.Environment[0].Value
	unexported := cmpopts.IgnoreUnexported(
		ecstypes.ContainerDefinition{}, ecstypes.KernelCapabilities{}, ecstypes.KeyValuePair{}, ecstypes.LinuxParameters{},
		ecstypes.LogConfiguration{}, ecstypes.PortMapping{}, ecstypes.HealthCheck{}, ecstypes.Secret{},
	)
	if diff := gocmp.Diff(want, got, unexported); diff != "" {
		t.Errorf("container (-deploy/ecs +Terraform):\n%s", diff)
	}
}

func TestTerraformCreatesAKey(t *testing.T) {
	vars := sharings()[0].consumerVariables()
	vars["destination"] = cty.ObjectVal(map[string]cty.Value{"bucket": cty.StringVal("consumer-exports")})
	scope, err := loadModule(t, "consumer").evaluate(vars, made(destinationKey, ""))
	if err != nil {
		t.Fatal(err)
	}
	if got := scope.Variables["local"].GetAttr("destination_key_arn").AsString(); got != destinationKey {
		t.Errorf("got key %s, want the one that the module creates", got)
	}
	buckets := scope.Variables["local"].GetAttr("buckets")
	for name, want := range map[string]string{"destination": "aws:kms", "state": "AES256"} {
		if got := buckets.GetAttr(name).GetAttr("algorithm").AsString(); got != want {
			t.Errorf("got %s for bucket %s, want %s", got, name, want)
		}
	}
}

func TestTerraformRejectsInvalidInput(t *testing.T) {
	text := cty.StringVal
	faults := []struct {
		module, variable string
		value            cty.Value
	}{
		{"owner", "prefix", text("a*b")},
		{"owner", "bucket", text("partner-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias")},
		{"consumer", "source_bucket", cty.ObjectVal(map[string]cty.Value{
			"bucket": text("arn:aws:s3:us-west-2:111111111111:accesspoint/partner"), "prefix": text(""), "region": text("us-west-2"), "account_id": text("111111111111"),
		})},
		{"owner", "kms_key_arn", text("alias/aws/s3")},
		{"owner", "consumer_role_arn", text("arn:aws:sts::222222222222:assumed-role/syncd/session")},
		{"consumer", "account_id", text("2222")},
		{"consumer", "external_id", text("with spaces")},
		{"consumer", "state", cty.ObjectVal(map[string]cty.Value{"bucket": text("consumer-state"), "prefix": text("syncd")})},
		{"consumer", "destination", cty.ObjectVal(map[string]cty.Value{"bucket": text("consumer-exports"), "prefix": text("$")})},
	}
	for _, f := range faults {
		vars := sharings()[0].ownerVariables()
		if f.module == "consumer" {
			vars = sharings()[0].consumerVariables()
		}
		vars[f.variable] = f.value
		if _, err := loadModule(t, f.module).evaluate(vars, made("", "")); err == nil {
			t.Errorf("%s: got no error for %s = %#v, want one", f.module, f.variable, f.value)
		}
	}
}

// TestTerraformReferencesExist checks that every variable, local and resource that the modules
// reference exists.
func TestTerraformReferencesExist(t *testing.T) {
	for _, dir := range []string{"owner", "consumer", "examples/complete"} {
		m := loadModule(t, dir)
		for _, r := range m.references() {
			if !m.has(r) {
				t.Errorf("%s: got %s, want a name that exists", dir, strings.Join(r, "."))
			}
		}
	}
}

// TestExampleArguments checks that the arguments in the example are variables of the modules.
func TestExampleArguments(t *testing.T) {
	for name, call := range moduleCalls(t, "examples/complete") {
		m := loadModule(t, name)
		for argument := range call {
			if m.variables[argument] == nil {
				t.Errorf("module %s: got argument %s, want one of its variables", name, argument)
			}
		}
		for variable, block := range m.variables {
			if _, optional := block.Body.Attributes["default"]; !optional && !call[variable] {
				t.Errorf("module %s: got no argument %s, want one: it has no default", name, variable)
			}
		}
	}
}

// TestReadmesListInputsAndOutputs checks that the README tables list the variables and outputs of
// the modules.
func TestReadmesListInputsAndOutputs(t *testing.T) {
	for _, dir := range []string{"owner", "consumer"} {
		m, readme := loadModule(t, dir), read(t, "terraform/"+dir+"/README.md")
		want := "| input | default | what it is |\n|---|---|---|\n"
		for _, name := range slices.SortedFunc(maps.Keys(m.variables), m.byPlace) {
			fallback := "required"
			if attribute, optional := m.variables[name].Body.Attributes["default"]; optional {
				span := attribute.Expr.Range()
				fallback = "`" + string(m.source[span.Filename][span.Start.Byte:span.End.Byte]) + "`"
			}
			want += fmt.Sprintf("| `%s` | %s | %s |\n", name, fallback, description(t, m.variables[name]))
		}
		want += "\n| output | what it is |\n|---|---|\n"
		for _, name := range slices.Sorted(maps.Keys(m.outputs)) {
			want += fmt.Sprintf("| `%s` | %s |\n", name, description(t, m.outputs[name]))
		}
		if !strings.Contains(readme, want) {
			t.Errorf("terraform/%s/README.md: got other tables, want these:\n%s", dir, want)
		}
	}
}

// byPlace orders variables by their position in the file.
func (m module) byPlace(a, b string) int {
	return cmp.Compare(m.variables[a].TypeRange.Start.Line, m.variables[b].TypeRange.Start.Line)
}
