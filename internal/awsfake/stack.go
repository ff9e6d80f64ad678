package awsfake

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncd/internal/iam"
)

const stackNamespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"

// stack is a CloudFormation stack. A change to it is carried out at once: no client sees it in progress. Guarded by Cloud.stacksMu.
type stack struct {
	account           *Account
	region, name, arn string
	created           time.Time
	status, reason    string
	scope             *scope
	given             map[string]string // parameters
	resources         []*resource
	outputs           [][3]string // key, value, description
	changes           []*changeSet
	events            []stackEvent
}

// changeSet is what is to become of a stack.
type changeSet struct {
	arn, name, status, reason string
	create                    bool
	scope                     *scope
	given                     map[string]string
	resources                 []*resource
}

type stackEvent struct {
	logical, kind, status, reason string
	at                            time.Time
}

func stackOperations() map[string]func(*request, *xmlWriter) error {
	return map[string]func(*request, *xmlWriter) error{
		"DescribeStacks": (*request).describeStacks, "CreateChangeSet": (*request).createChangeSet, "DescribeChangeSet": (*request).describeChangeSet,
		"ExecuteChangeSet": (*request).executeChangeSet, "DeleteStack": (*request).deleteStack, "DescribeStackEvents": (*request).describeStackEvents,
		"GetTemplateSummary": (*request).getTemplateSummary, "GetTemplate": (*request).getTemplate,
	}
}

func (q *request) serveCloudFormation() (*response, error) {
	serve := stackOperations()[q.operation]
	if serve == nil {
		return nil, errNotImplemented("cloudformation " + q.operation)
	}
	x := question{
		action: "cloudformation:" + q.operation, account: q.caller.account.id, kind: iam.Bucket,
		resource: fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/*", q.region, q.caller.account.id, q.stackName()),
	}
	if d := q.decide(x); !d.Allowed {
		return nil, refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s %s",
			q.caller.caller.ARN, x.action, x.resource, d.Reason())
	}
	q.cloud.stacksMu.Lock()
	defer q.cloud.stacksMu.Unlock()
	result := &xmlWriter{}
	if err := serve(q, result); err != nil {
		return nil, err
	}
	return q.queryAnswer(stackNamespace, result.bytes()), nil
}

// stackName is the name that the request has, or that of the ARN.
func (q *request) stackName() string {
	name := q.form.Get("StackName")
	if rest, ok := strings.CutPrefix(name, "arn:"); ok {
		if parts := strings.Split(rest, "/"); len(parts) > 1 {
			return parts[1]
		}
	}
	return name
}

// find finds the stack that the request names.
func (q *request) findStack() (*stack, error) {
	for _, s := range q.cloud.stacks {
		if s.account == q.caller.account && s.region == q.region && s.name == q.stackName() {
			return s, nil
		}
	}
	return nil, errStackValidation("Stack with id %s does not exist", q.form.Get("StackName"))
}

func (q *request) describeStacks(x *xmlWriter) error {
	var found []*stack
	if q.form.Get("StackName") != "" {
		s, err := q.findStack()
		if err != nil {
			return err
		}
		found = append(found, s)
	} else {
		found = slices.DeleteFunc(slices.Clone(q.cloud.stacks), func(s *stack) bool { return s.account != q.caller.account || s.region != q.region })
	}
	x.list("Stacks", len(found), func(i int) { found[i].write(x) })
	return nil
}

// list writes a list of the query protocol.
func (x *xmlWriter) list(name string, n int, write func(i int)) {
	x.open(name)
	for i := range n {
		x.open("member")
		write(i)
		x.close("member")
	}
	x.close(name)
}

func (s *stack) write(x *xmlWriter) {
	x.element("StackId", s.arn)
	x.element("StackName", s.name)
	x.iamTime("CreationTime", s.created)
	x.element("StackStatus", s.status)
	x.optional("StackStatusReason", s.reason)
	x.boolean("DisableRollback", false)
	keys := slices.Sorted(maps.Keys(s.given))
	x.list("Parameters", len(keys), func(i int) {
		x.element("ParameterKey", keys[i])
		x.element("ParameterValue", s.given[keys[i]])
	})
	x.list("Outputs", len(s.outputs), func(i int) {
		x.element("OutputKey", s.outputs[i][0])
		x.element("OutputValue", s.outputs[i][1])
		x.optional("Description", s.outputs[i][2])
	})
}

func (q *request) record(s *stack, logical, kind, status, reason string) {
	s.events = append(s.events, stackEvent{logical, kind, status, reason, q.cloud.now()})
}

func (q *request) deleteStack(*xmlWriter) error {
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
	q.cloud.stacks = slices.DeleteFunc(q.cloud.stacks, func(other *stack) bool { return other == s })
	return nil
}

func (q *request) describeStackEvents(x *xmlWriter) error {
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
		x.iamTime("Timestamp", e.at)
		x.element("ResourceStatus", e.status)
		x.optional("ResourceStatusReason", e.reason)
	})
	return nil
}

// getTemplateSummary tells of the parameters of a stack's template.
func (q *request) getTemplateSummary(x *xmlWriter) error {
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

func (q *request) getTemplate(x *xmlWriter) error {
	s, err := q.findStack()
	if err != nil {
		return err
	}
	if s.scope != nil {
		x.element("TemplateBody", s.scope.text)
	}
	return nil
}
