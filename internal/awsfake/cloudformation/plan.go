package cloudformation

import (
	"fmt"
	"maps"
	"slices"

	"syncd/internal/awsfake/wire"
)

// resource is one of a stack: what the template says of it, and what it became.
type resource struct {
	logical, kind string
	properties    map[string]any
	physical      string // "" until it is made
}

// text is a property that is a string; "" when it is not there.
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

// resourceKinds are the types of resource that a template may have, in the order in which they are
// made.
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

// plannedResources are those of the template whose condition holds, in the order in which they are
// made. Their properties are evaluated when they are made, since they may name what was made
// before.
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
