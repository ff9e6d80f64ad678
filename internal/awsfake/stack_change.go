package awsfake

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func (q *request) createChangeSet(x *xmlWriter) error {
	t, err := q.readTemplate()
	if err != nil {
		return err
	}
	s, err := q.findStack()
	create := q.form.Get("ChangeSetType") == "CREATE"
	switch {
	case create && (err != nil || s.status == "REVIEW_IN_PROGRESS"):
		if err != nil {
			s = q.newStack()
		}
	case create:
		return refuse(http.StatusBadRequest, "AlreadyExistsException", "Stack [%s] already exists and cannot be created again with the changeSet [%s].", s.name, q.form.Get("ChangeSetName"))
	case err != nil:
		return err
	case s.status == "ROLLBACK_COMPLETE":
		return errStackValidation("Stack:%s is in ROLLBACK_COMPLETE state and can not be updated.", s.arn)
	}
	c := &changeSet{
		name: q.form.Get("ChangeSetName"), create: create, given: stackParameters(q.form, s.given), status: "CREATE_COMPLETE",
		arn: fmt.Sprintf("arn:aws:cloudformation:%s:%s:changeSet/%s/%s", s.region, s.account.id, q.form.Get("ChangeSetName"), q.cloud.random.uuid()),
	}
	if c.scope, err = t.newScope(c.given, s.pseudo()); err != nil {
		return err
	}
	if c.resources, err = c.scope.plannedResources(); err != nil {
		return err
	}
	if err := q.capable(c.resources); err != nil {
		return err
	}
	if !create && t.text == s.scope.text && maps.Equal(c.given, s.given) {
		c.status, c.reason = "FAILED", "The submitted information didn't contain changes. Submit different information to create a change set."
	}
	if create && !slices.Contains(q.cloud.stacks, s) {
		q.cloud.stacks = append(q.cloud.stacks, s)
	}
	s.changes = append(s.changes, c)
	x.element("Id", c.arn)
	x.element("StackId", s.arn)
	return nil
}

func (q *request) readTemplate() (*template, error) {
	if q.form.Get("TemplateBody") == "" {
		return nil, errNotImplemented("change sets without TemplateBody")
	}
	return parseTemplate(q.form.Get("TemplateBody"))
}

func (q *request) newStack() *stack {
	name := q.stackName()
	return &stack{
		account: q.caller.account, region: q.region, name: name, created: q.cloud.now(), status: "REVIEW_IN_PROGRESS", given: map[string]string{},
		arn: fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/%s", q.region, q.caller.account.id, name, q.cloud.random.uuid()),
	}
}

func (s *stack) pseudo() map[string]string {
	return map[string]string{
		"AWS::Region": s.region, "AWS::AccountId": s.account.id, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
		"AWS::StackName": s.name, "AWS::StackId": s.arn,
	}
}

func stackParameters(f url.Values, former map[string]string) map[string]string {
	given := map[string]string{}
	for i := 1; ; i++ {
		member := fmt.Sprintf("Parameters.member.%d.", i)
		key := f.Get(member + "ParameterKey")
		if key == "" {
			return given
		}
		value, had := former[key]
		if f.Get(member+"UsePreviousValue") != "true" {
			value, had = f.Get(member+"ParameterValue"), true
		}
		if had {
			given[key] = value
		}
	}
}

// capable asks for the consent that a template with roles and users needs.
func (q *request) capable(resources []*resource) error {
	consent := members(q.form, "Capabilities")
	if slices.Contains(consent, "CAPABILITY_NAMED_IAM") {
		return nil
	}
	for _, r := range resources {
		if !strings.HasPrefix(r.kind, "AWS::IAM::") {
			continue
		}
		needed := "CAPABILITY_IAM"
		if _, named := r.properties["RoleName"]; named && r.kind == "AWS::IAM::Role" {
			needed = "CAPABILITY_NAMED_IAM"
		}
		if !slices.Contains(consent, needed) {
			return refuse(http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : [%s]", needed)
		}
	}
	return nil
}

// findChangeSet finds the change set that the request names, by its name or its ARN, which is enough for the stack too.
func (q *request) findChangeSet() (*stack, *changeSet, error) {
	wanted := q.form.Get("ChangeSetName")
	for _, s := range q.cloud.stacks {
		if s.account != q.caller.account || s.region != q.region {
			continue
		}
		for _, c := range s.changes {
			if c.arn == wanted || c.name == wanted && s.name == q.stackName() {
				return s, c, nil
			}
		}
	}
	return nil, nil, refuse(http.StatusNotFound, "ChangeSetNotFound", "ChangeSet [%s] does not exist", wanted)
}

func (q *request) describeChangeSet(x *xmlWriter) error {
	s, c, err := q.findChangeSet()
	if err != nil {
		return err
	}
	x.element("ChangeSetName", c.name)
	x.element("ChangeSetId", c.arn)
	x.element("StackId", s.arn)
	x.element("StackName", s.name)
	x.element("Status", c.status)
	x.optional("StatusReason", c.reason)
	execution := "AVAILABLE"
	if c.status == "FAILED" {
		execution = "UNAVAILABLE"
	}
	x.element("ExecutionStatus", execution)
	x.list("Changes", len(c.resources), func(i int) {
		action := "Add"
		if s.find(c.resources[i].logical) != nil {
			action = "Modify"
		}
		x.element("Type", "Resource")
		x.open("ResourceChange")
		x.element("Action", action)
		x.element("LogicalResourceId", c.resources[i].logical)
		x.element("ResourceType", c.resources[i].kind)
		x.close("ResourceChange")
	})
	return nil
}

func (s *stack) find(logical string) *resource {
	for _, r := range s.resources {
		if r.logical == logical {
			return r
		}
	}
	return nil
}

func (q *request) executeChangeSet(*xmlWriter) error {
	s, c, err := q.findChangeSet()
	if err != nil {
		return err
	}
	if c.status == "FAILED" {
		return refuse(http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet [%s] cannot be executed in its current status of [FAILED]", c.arn)
	}
	s.changes = nil
	former := s.resources
	kind := map[bool]string{true: "CREATE", false: "UPDATE"}[c.create]
	if err := q.carryOut(s, c); err != nil {
		s.status, s.reason = kind+"_ROLLBACK_COMPLETE", err.Error()
		if c.create {
			s.status = "ROLLBACK_COMPLETE"
		}
		q.record(s, s.name, "AWS::CloudFormation::Stack", s.status, s.reason)
		return nil
	}
	for _, r := range former {
		if s.find(r.logical) == nil {
			if err := q.remove(r); err != nil {
				q.record(s, r.logical, r.kind, "DELETE_FAILED", err.Error())
			}
		}
	}
	s.scope, s.given, s.status, s.reason = c.scope, c.given, kind+"_COMPLETE", ""
	q.record(s, s.name, "AWS::CloudFormation::Stack", s.status, "")
	return nil
}

// carryOut makes the resources of a change set. When one cannot be made, those that were made new are deleted again.
func (q *request) carryOut(s *stack, c *changeSet) (err error) {
	var made []*resource
	defer func() {
		if err == nil {
			s.resources = c.resources
			return
		}
		for _, r := range slices.Backward(made) {
			_ = q.remove(r) // the reason of the failure is the one to tell
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
			q.record(s, r.logical, r.kind, "CREATE_FAILED", err.Error())
			return fmt.Errorf("the following resource(s) failed to create: [%s]: %w", r.logical, err)
		}
		c.scope.names[r.logical] = r.physical
		q.record(s, r.logical, r.kind, "CREATE_COMPLETE", "")
	}
	s.outputs, err = c.scope.evaluateOutputs()
	return err
}

func (s *scope) evaluateOutputs() ([][3]string, error) {
	var out [][3]string
	for _, key := range slices.Sorted(maps.Keys(s.outputs)) {
		declared, _ := s.outputs[key].(map[string]any)
		value, err := s.evaluate(declared["Value"])
		if err != nil {
			return nil, err
		}
		description, _ := declared["Description"].(string)
		out = append(out, [3]string{key, fmt.Sprint(value), description})
	}
	return out, nil
}
