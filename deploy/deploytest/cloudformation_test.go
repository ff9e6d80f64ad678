package deploytest_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// A stack is a CloudFormation template with parameter values. Its methods evaluate as much of the
// template as the tests need to compare policy documents.
type stack struct {
	conditions map[string]yaml.Node
	names      map[string]string // parameters and pseudo parameters
}

// template is the top level of a template. Unknown sections are errors.
type template struct {
	Version     string               `yaml:"AWSTemplateFormatVersion"`
	Description string               `yaml:"Description"`
	Parameters  map[string]parameter `yaml:"Parameters"`
	Conditions  map[string]yaml.Node `yaml:"Conditions"`
	Resources   map[string]yaml.Node `yaml:"Resources"`
	Outputs     map[string]yaml.Node `yaml:"Outputs"`
}

type parameter struct {
	Type           string   `yaml:"Type"`
	Description    string   `yaml:"Description"`
	AllowedPattern string   `yaml:"AllowedPattern"`
	Default        *string  `yaml:"Default"`
	AllowedValues  []string `yaml:"AllowedValues"`
}

func loadTemplate(t *testing.T, parameters map[string]string) (template, stack) {
	t.Helper()
	dec := yaml.NewDecoder(strings.NewReader(read(t, "cloudformation/owner.yaml")))
	dec.KnownFields(true)
	var top template
	if err := dec.Decode(&top); err != nil {
		t.Fatal(err)
	}
	s := stack{conditions: top.Conditions, names: map[string]string{
		"AWS::Partition": "aws", "AWS::Region": "us-west-2", "AWS::URLSuffix": "amazonaws.com", "AWS::NoValue": "",
	}}
	for name, p := range top.Parameters {
		value, given := parameters[name]
		if !given && p.Default == nil {
			t.Fatalf("got no value for parameter %s, want one: it has no default", name)
		}
		if !given {
			value = *p.Default
		}
		if p.AllowedPattern != "" && !regexp.MustCompile("^(?:"+p.AllowedPattern+")$").MatchString(value) {
			t.Errorf("got %q for parameter %s, want one that matches %s", value, name, p.AllowedPattern)
		}
		if p.AllowedValues != nil && !slices.Contains(p.AllowedValues, value) {
			t.Errorf("got %q for parameter %s, want one of %q", value, name, p.AllowedValues)
		}
		s.names[name] = value
	}
	return top, s
}

// properties evaluates the properties of a resource or an output.
func (s stack) properties(t *testing.T, n yaml.Node) map[string]any {
	t.Helper()
	properties, ok := s.value(t, &n).(map[string]any)
	if !ok {
		t.Fatalf("line %d: got no properties, want some", n.Line)
	}
	return properties
}

// noValue marks a property that is omitted.
type noValue struct{}

// value evaluates a node and its intrinsic functions.
func (s stack) value(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Tag {
	case "!Ref":
		if n.Value == "AWS::NoValue" {
			return noValue{}
		}
		return s.name(t, n.Value, nil)
	case "!Sub":
		return s.sub(t, n)
	case "!If":
		if s.holds(t, n.Content[0].Value) {
			return s.value(t, n.Content[1])
		}
		return s.value(t, n.Content[2])
	case "!Equals":
		return s.value(t, n.Content[0]) == s.value(t, n.Content[1])
	case "!Or":
		return s.value(t, n.Content[0]) == true || s.value(t, n.Content[1]) == true
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		t.Fatalf("line %d: got %s, want a function that the tests know", n.Line, n.Tag)
	}
	return s.plain(t, n)
}

func (s stack) plain(t *testing.T, n *yaml.Node) any {
	t.Helper()
	if n.Kind == yaml.MappingNode {
		properties := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			if v := s.value(t, n.Content[i+1]); v != any(noValue{}) {
				properties[n.Content[i].Value] = v
			}
		}
		return properties
	}
	if n.Kind == yaml.SequenceNode {
		items := []any{}
		for _, child := range n.Content {
			if v := s.value(t, child); v != any(noValue{}) {
				items = append(items, v)
			}
		}
		return items
	}
	return n.Value
}

func (s stack) holds(t *testing.T, condition string) bool {
	t.Helper()
	node, there := s.conditions[condition]
	if !there {
		t.Fatalf("got condition %s, want one that exists", condition)
	}
	return s.value(t, &node) == true
}

// sub evaluates Fn::Sub, with a string or with a list of a string and its own variables.
func (s stack) sub(t *testing.T, n *yaml.Node) string {
	t.Helper()
	text, own := n.Value, map[string]string{}
	if n.Kind == yaml.SequenceNode {
		text = n.Content[0].Value
		for name, v := range s.plain(t, n.Content[1]).(map[string]any) {
			own[name] = fmt.Sprint(v)
		}
	}
	return regexp.MustCompile(`\$\{([^}]+)\}`).ReplaceAllStringFunc(text, func(reference string) string {
		return s.name(t, reference[2:len(reference)-1], own)
	})
}

func (s stack) name(t *testing.T, name string, own map[string]string) string {
	t.Helper()
	if value, ok := own[name]; ok {
		return value
	}
	value, ok := s.names[name]
	if !ok {
		t.Fatalf("got a reference to %s, want a parameter", name)
	}
	return value
}

// TestCloudFormationGrantsWhatTerraformDoes compares the template with the owner's Terraform
// module, which another test compares with syncd policy.
func TestCloudFormationGrantsWhatTerraformDoes(t *testing.T) {
	for _, s := range sharings() {
		t.Run(s.name, func(t *testing.T) {
			parameters := map[string]string{
				"Bucket": "owner-exports", "Prefix": s.prefixes[0], "ConsumerRoleArn": consumerRole, "DestinationRegion": "eu-west-1",
			}
			if _, omitted := s.owner["copy_tags"]; omitted {
				parameters["CopyTags"] = "false"
			}
			top, stack := loadTemplate(t, parameters)
			scope, err := loadModule(t, "owner").evaluate(s.ownerVariables(), nil)
			if err != nil {
				t.Fatal(err)
			}
			resource := stack.properties(t, top.Resources["BucketPolicy"])
			policy, err := json.Marshal(resource["Properties"].(map[string]any)["PolicyDocument"])
			if err != nil {
				t.Fatal(err)
			}
			want := grants(t, encoded(t, scope.Variables["local"].GetAttr("bucket_policy")))
			if diff := cmp.Diff(want, grants(t, string(policy))); diff != "" {
				t.Errorf("bucket policy (-Terraform +CloudFormation):\n%s", diff)
			}
			output := stack.properties(t, top.Outputs["KeyPolicyStatement"])
			key := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [%s]}`, output["Value"])
			want = grants(t, encoded(t, scope.Variables["local"].GetAttr("key_policy")))
			if diff := cmp.Diff(want, grants(t, key)); diff != "" {
				t.Errorf("key policy (-Terraform +CloudFormation):\n%s", diff)
			}
		})
	}
}

// TestCloudFormationInOneRegion checks that, without a destination in another Region, the key can
// be used only through S3 in the bucket's Region.
func TestCloudFormationInOneRegion(t *testing.T) {
	for _, region := range []string{"", "us-west-2"} {
		top, stack := loadTemplate(t, map[string]string{"Bucket": "owner-exports", "ConsumerRoleArn": consumerRole, "DestinationRegion": region})
		output := stack.properties(t, top.Outputs["KeyPolicyStatement"])
		if got, want := fmt.Sprint(output["Value"]), `"kms:ViaService": ["s3.us-west-2.amazonaws.com"]`; !strings.Contains(got, want) {
			t.Errorf("destination region %q: got %s, want %s in it", region, got, want)
		}
	}
}
