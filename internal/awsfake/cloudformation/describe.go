package cloudformation

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"syncd/internal/awsfake/wire"
)

func (q *request) describeStacks(x *wire.XML) error {
	var found []*stack
	if q.Form.Get("StackName") != "" {
		s, err := q.findStack()
		if err != nil {
			return err
		}
		found = append(found, s)
	} else {
		found = slices.DeleteFunc(slices.Clone(q.stacks.all), func(s *stack) bool { return s.account != q.Caller.Account || s.region != q.Region })
	}
	x.List("Stacks", len(found), func(i int) { found[i].write(x) })
	return nil
}

func (q *request) deleteStack(*wire.XML) error {
	s, err := q.findStack()
	if err != nil {
		return nil //nolint:nilerr // deleting a stack that does not exist succeeds
	}
	var failed []error
	for _, r := range slices.Backward(s.resources) {
		failed = append(failed, q.remove(r))
	}
	if err := errors.Join(failed...); err != nil {
		s.status, s.reason = "DELETE_FAILED", err.Error()
		return nil //nolint:nilerr // the stack's status shows the failure, as in AWS
	}
	q.stacks.all = slices.DeleteFunc(q.stacks.all, func(other *stack) bool { return other == s })
	return nil
}

func (q *request) describeStackEvents(x *wire.XML) error {
	s, err := q.findStack()
	if err != nil {
		return err
	}
	x.List("StackEvents", len(s.events), func(i int) {
		e := s.events[len(s.events)-1-i]
		x.Element("StackId", s.arn)
		x.Element("EventId", fmt.Sprintf("%s-%d", s.name, len(s.events)-i))
		x.Element("StackName", s.name)
		x.Element("LogicalResourceId", e.logical)
		x.Element("ResourceType", e.kind)
		x.Instant("Timestamp", e.at)
		x.Element("ResourceStatus", e.status)
		x.Optional("ResourceStatusReason", e.reason)
	})
	return nil
}

// getTemplateSummary returns the parameters of a stack's template.
func (q *request) getTemplateSummary(x *wire.XML) error {
	s, err := q.findStack()
	if err != nil {
		return err
	}
	keys := []string{}
	if s.scope != nil {
		keys = slices.Sorted(maps.Keys(s.scope.parameters))
	}
	x.List("Parameters", len(keys), func(i int) { x.Element("ParameterKey", keys[i]) })
	return nil
}

func (q *request) getTemplate(x *wire.XML) error {
	s, err := q.findStack()
	if err != nil {
		return err
	}
	if s.scope != nil {
		x.Element("TemplateBody", s.scope.text)
	}
	return nil
}
