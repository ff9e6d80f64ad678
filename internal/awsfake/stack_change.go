package awsfake

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func (q *stackRequest) createChangeSet(x *xmlWriter) error {
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
		arn: fmt.Sprintf("arn:aws:cloudformation:%s:%s:changeSet/%s/%s", s.region, s.account.ID(), q.form.Get("ChangeSetName"), q.cloud.random.uuid()),
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
	x.element("Id", c.arn)
	x.element("StackId", s.arn)
	return nil
}

func (q *stackRequest) readTemplate() (*template, error) {
	if q.form.Get("TemplateBody") == "" {
		return nil, errNotImplemented("change sets without TemplateBody")
	}
	return parseTemplate(q.form.Get("TemplateBody"))
}

func (q *stackRequest) newStack() *stack {
	name := q.stackName()
	return &stack{
		account: q.caller.account, region: q.region, name: name, created: q.cloud.now(), status: "REVIEW_IN_PROGRESS", given: map[string]string{},
		arn: fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/%s", q.region, q.caller.account.ID(), name, q.cloud.random.uuid()),
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
func (q *stackRequest) capable(resources []*resource) error {
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
func (q *stackRequest) findChangeSet() (*stack, *changeSet, error) {
	wanted := q.form.Get("ChangeSetName")
	for _, s := range q.stacks.all {
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

func (q *stackRequest) describeChangeSet(x *xmlWriter) error {
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
