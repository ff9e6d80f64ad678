package cloudformation

import (
	"fmt"
	"maps"
	"slices"

	"syncd/internal/awsfake/wire"
)

// resource is a resource of a stack: its definition in the template, and its physical ID.
type resource struct {
	logical, kind string
	properties    map[string]any
	physical      string // "" until it is created
}

// text returns a string property, or "" if it is not set.
func (r *resource) text(name string) string {
	v, ok := r.properties[name]
	if !ok {
		return ""
	}
	return fmt.Sprint(v)
}

// resourceKind is a type of resource, with its properties.
type resourceKind struct {
	name       string
	properties []string
}

// resourceKinds returns the supported resource types in creation order.
func resourceKinds() []resourceKind {
	return []resourceKind{
		{"AWS::IAM::Role", []string{"RoleName", "Path", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Policies", "ManagedPolicyArns"}},
		{"AWS::IAM::RolePolicy", []string{"RoleName", "PolicyName", "PolicyDocument"}},
		{"AWS::IAM::UserPolicy", []string{"UserName", "PolicyName", "PolicyDocument"}},
		{"AWS::S3::BucketPolicy", []string{"Bucket", "PolicyDocument"}},
	}
}

func (r *resource) rank() int {
	for i, kind := range resourceKinds() {
		if kind.name == r.kind {
			return i
		}
	}
	return -1
}

func (r *resource) known() error {
	at := r.rank()
	if at < 0 {
		return wire.ErrNotImplemented("template resource " + r.kind)
	}
	for _, name := range slices.Sorted(maps.Keys(r.properties)) {
		if !slices.Contains(resourceKinds()[at].properties, name) {
			return wire.ErrNotImplemented("property " + name + " of template resource " + r.kind)
		}
	}
	return nil
}

// plannedResources returns the resources whose condition is true, in creation order. The properties
// of a resource are evaluated when it is created, because they can reference resources created
// earlier.
func plannedResources(s *scope) ([]*resource, error) {
	var list []*resource
	for _, logical := range slices.Sorted(maps.Keys(s.resources)) {
		declared, _ := s.resources[logical].(map[string]any)
		if name, ok := declared["Condition"].(string); ok {
			holds, err := s.condition(name)
			if err != nil {
				return nil, err
			}
			if !holds {
				continue
			}
		}
		r := &resource{logical: logical, kind: fmt.Sprint(declared["Type"])}
		r.properties, _ = declared["Properties"].(map[string]any)
		if err := r.known(); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	slices.SortStableFunc(list, func(a, b *resource) int { return a.rank() - b.rank() })
	return list, nil
}
