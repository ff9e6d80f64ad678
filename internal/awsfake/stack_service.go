package awsfake

import (
	"fmt"
	"net/http"

	"syncd/internal/iam"
)

const stackNamespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"

func stackOperations() map[string]func(*stackRequest, *xmlWriter) error {
	return map[string]func(*stackRequest, *xmlWriter) error{
		"DescribeStacks": (*stackRequest).describeStacks, "CreateChangeSet": (*stackRequest).createChangeSet, "DescribeChangeSet": (*stackRequest).describeChangeSet,
		"ExecuteChangeSet": (*stackRequest).executeChangeSet, "DeleteStack": (*stackRequest).deleteStack, "DescribeStackEvents": (*stackRequest).describeStackEvents,
		"GetTemplateSummary": (*stackRequest).getTemplateSummary, "GetTemplate": (*stackRequest).getTemplate,
	}
}

func (q *stackRequest) serve() (*response, error) {
	operation := stackOperations()[q.operation]
	if operation == nil {
		return nil, errNotImplemented("cloudformation " + q.operation)
	}
	x := question{
		action: "cloudformation:" + q.operation, account: q.caller.account.ID(), kind: iam.Bucket,
		resource: fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/*", q.region, q.caller.account.ID(), q.stackName()),
	}
	if d := q.decide(x); !d.Allowed {
		return nil, refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s %s",
			q.caller.caller.ARN, x.action, x.resource, d.Reason())
	}
	q.stacks.mu.Lock()
	defer q.stacks.mu.Unlock()
	result := &xmlWriter{}
	if err := operation(q, result); err != nil {
		return nil, err
	}
	return queryAnswer(q.operation, q.id, stackNamespace, result.bytes()), nil
}

// serveStacks adds CloudFormation to the cloud.
func serveStacks(c *hub) {
	all := &stacks{}
	c.serve(service{name: "cloudformation", protocol: queryForm, namespace: stackNamespace, serve: func(q *request) (*response, error) {
		return (&stackRequest{q, all}).serve()
	}})
}
