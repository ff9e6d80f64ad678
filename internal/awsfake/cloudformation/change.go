package cloudformation

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/wire"
)

func (q *request) createChangeSet(x *wire.XML) error {
	t, err := q.readTemplate()
	if err != nil {
		return err
	}
	s, err := q.findStack()
	create := q.Form.Get("ChangeSetType") == "CREATE"
	switch {
	case create && (err != nil || s.status == "REVIEW_IN_PROGRESS"):
		if err != nil {
			s = q.newStack()
		}
	case create:
		return wire.Refuse(http.StatusBadRequest, "AlreadyExistsException", "Stack [%s] already exists and cannot be created again with the changeSet [%s].", s.name, q.Form.Get("ChangeSetName"))
	case err != nil:
		return err
	case s.status == "ROLLBACK_COMPLETE":
		return form.ErrValidation("Stack:%s is in ROLLBACK_COMPLETE state and can not be updated.", s.arn)
	}
	c := &changeSet{
		name: q.Form.Get("ChangeSetName"), create: create, given: stackParameters(q.Form, s.given), status: "CREATE_COMPLETE",
		arn: s.account.ARN("cloudformation", s.region, "changeSet/"+q.Form.Get("ChangeSetName")+"/"+q.Cloud.Random.UUID()),
	}
	if c.scope, err = newScope(t, c.given, s.pseudo()); err != nil {
		return err
	}
	if c.resources, err = plannedResources(c.scope); err != nil {
		return err
	}
	if err := q.capable(c.resources); err != nil {
		return err
	}
	if !create && t.text == s.scope.text && maps.Equal(c.given, s.given) {
		c.status, c.reason = "FAILED", "The submitted information didn't contain changes. Submit different information to create a change set."
	}
	if create && !slices.Contains(q.stacks.all, s) {
		q.stacks.all = append(q.stacks.all, s)
	}
	s.changes = append(s.changes, c)
	x.Element("Id", c.arn)
	x.Element("StackId", s.arn)
	return nil
}

func (q *request) readTemplate() (*template, error) {
	if q.Form.Get("TemplateBody") == "" {
		return nil, wire.ErrNotImplemented("change sets without TemplateBody")
	}
	return parseTemplate(q.Form.Get("TemplateBody"))
}

func (q *request) newStack() *stack {
	name := q.stackName()
	return &stack{
		account: q.Caller.Account, region: q.Region, name: name, created: q.Cloud.Now(), status: "REVIEW_IN_PROGRESS", given: map[string]string{},
		arn: q.Caller.Account.ARN("cloudformation", q.Region, "stack/"+name+"/"+q.Cloud.Random.UUID()),
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

// capable checks that the request has the capability that a template with roles or users requires.
func (q *request) capable(resources []*resource) error {
	consent := form.Members(q.Form, "Capabilities")
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
			return wire.Refuse(http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : [%s]", needed)
		}
	}
	return nil
}

// findChangeSet returns the change set that the request names, and its stack. The ARN of a change
// set also identifies the stack.
func (q *request) findChangeSet() (*stack, *changeSet, error) {
	wanted := q.Form.Get("ChangeSetName")
	for _, s := range q.stacks.all {
		if s.account != q.Caller.Account || s.region != q.Region {
			continue
		}
		for _, c := range s.changes {
			if c.arn == wanted || c.name == wanted && s.name == q.stackName() {
				return s, c, nil
			}
		}
	}
	return nil, nil, wire.Refuse(http.StatusNotFound, "ChangeSetNotFound", "ChangeSet [%s] does not exist", wanted)
}

func (q *request) describeChangeSet(x *wire.XML) error {
	s, c, err := q.findChangeSet()
	if err != nil {
		return err
	}
	x.Element("ChangeSetName", c.name)
	x.Element("ChangeSetId", c.arn)
	x.Element("StackId", s.arn)
	x.Element("StackName", s.name)
	x.Element("Status", c.status)
	x.Optional("StatusReason", c.reason)
	execution := "AVAILABLE"
	if c.status == "FAILED" {
		execution = "UNAVAILABLE"
	}
	x.Element("ExecutionStatus", execution)
	x.List("Changes", len(c.resources), func(i int) {
		action := "Add"
		if s.find(c.resources[i].logical) != nil {
			action = "Modify"
		}
		x.Element("Type", "Resource")
		x.Open("ResourceChange")
		x.Element("Action", action)
		x.Element("LogicalResourceId", c.resources[i].logical)
		x.Element("ResourceType", c.resources[i].kind)
		x.Close("ResourceChange")
	})
	return nil
}
