package cloudformation

import (
	"fmt"
	"net/http"
	"slices"

	"syncd/internal/awsfake/wire"
)

func (q *request) executeChangeSet(*wire.XML) error {
	s, c, err := q.findChangeSet()
	if err != nil {
		return err
	}
	if c.status == "FAILED" {
		return wire.Refuse(http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet [%s] cannot be executed in its current status of [FAILED]", c.arn)
	}
	s.changes = nil
	former := s.resources
	kind := map[bool]string{true: "CREATE", false: "UPDATE"}[c.create]
	if err := q.carryOut(s, c); err != nil {
		s.status, s.reason = kind+"_ROLLBACK_COMPLETE", err.Error()
		if c.create {
			s.status = "ROLLBACK_COMPLETE"
		}
		s.record(q.Cloud.Now(), s.name, "AWS::CloudFormation::Stack", s.status, s.reason)
		return nil
	}
	for _, r := range former {
		if s.find(r.logical) == nil {
			if err := q.remove(r); err != nil {
				s.record(q.Cloud.Now(), r.logical, r.kind, "DELETE_FAILED", err.Error())
			}
		}
	}
	s.scope, s.given, s.status, s.reason = c.scope, c.given, kind+"_COMPLETE", ""
	s.record(q.Cloud.Now(), s.name, "AWS::CloudFormation::Stack", s.status, "")
	return nil
}

// carryOut creates the resources of a change set. If the creation of a resource fails, it deletes
// the resources that it has created.
func (q *request) carryOut(s *stack, c *changeSet) (err error) {
	var made []*resource
	defer func() {
		if err == nil {
			s.resources = c.resources
			return
		}
		for _, r := range slices.Backward(made) {
			_ = q.remove(r) // report the original failure
		}
	}()
	for _, r := range c.resources {
		evaluated, err := c.scope.evaluate(r.properties)
		if err != nil {
			return err
		}
		r.properties, _ = evaluated.(map[string]any)
		former := s.find(r.logical)
		if former != nil {
			r.physical = former.physical
		} else {
			made = append(made, r)
		}
		if err := q.make(c.scope, r, former != nil); err != nil {
			r.physical = ""
			s.record(q.Cloud.Now(), r.logical, r.kind, "CREATE_FAILED", err.Error())
			return fmt.Errorf("the following resource(s) failed to create: [%s]: %w", r.logical, err)
		}
		c.scope.names[r.logical] = r.physical
		s.record(q.Cloud.Now(), r.logical, r.kind, "CREATE_COMPLETE", "")
	}
	s.outputs, err = c.scope.evaluateOutputs()
	return err
}
