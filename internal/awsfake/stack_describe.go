package awsfake

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

func (q *stackRequest) describeStacks(x *xmlWriter) error {
	var found []*stack
	if q.form.Get("StackName") != "" {
		s, err := q.findStack()
		if err != nil {
			return err
		}
		found = append(found, s)
	} else {
		found = slices.DeleteFunc(slices.Clone(q.stacks.all), func(s *stack) bool { return s.account != q.caller.account || s.region != q.region })
	}
	x.list("Stacks", len(found), func(i int) { found[i].write(x) })
	return nil
}

func (q *stackRequest) deleteStack(*xmlWriter) error {
	s, err := q.findStack()
	if err != nil {
		return nil //nolint:nilerr // deleting what is not there succeeds
	}
	var failed []error
	for _, r := range slices.Backward(s.resources) {
		failed = append(failed, q.remove(r))
	}
	if err := errors.Join(failed...); err != nil {
		s.status, s.reason = "DELETE_FAILED", err.Error()
		return nil //nolint:nilerr // the stack shows it, as AWS's does
	}
	q.stacks.all = slices.DeleteFunc(q.stacks.all, func(other *stack) bool { return other == s })
	return nil
}

func (q *stackRequest) describeStackEvents(x *xmlWriter) error {
	s, err := q.findStack()
	if err != nil {
		return err
	}
	x.list("StackEvents", len(s.events), func(i int) {
		e := s.events[len(s.events)-1-i]
		x.element("StackId", s.arn)
		x.element("EventId", fmt.Sprintf("%s-%d", s.name, len(s.events)-i))
		x.element("StackName", s.name)
		x.element("LogicalResourceId", e.logical)
		x.element("ResourceType", e.kind)
		x.instant("Timestamp", e.at)
		x.element("ResourceStatus", e.status)
		x.optional("ResourceStatusReason", e.reason)
	})
	return nil
}

// getTemplateSummary tells of the parameters of a stack's template.
func (q *stackRequest) getTemplateSummary(x *xmlWriter) error {
	s, err := q.findStack()
	if err != nil {
		return err
	}
	keys := []string{}
	if s.scope != nil {
		keys = slices.Sorted(maps.Keys(s.scope.parameters))
	}
	x.list("Parameters", len(keys), func(i int) { x.element("ParameterKey", keys[i]) })
	return nil
}

func (q *stackRequest) getTemplate(x *xmlWriter) error {
	s, err := q.findStack()
	if err != nil {
		return err
	}
	if s.scope != nil {
		x.element("TemplateBody", s.scope.text)
	}
	return nil
}
