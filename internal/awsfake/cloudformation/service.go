// Package cloudformation implements as much of CloudFormation as "aws cloudformation deploy" needs
// for the templates of this repository.
//
// It implements change sets, stacks and their events, and the intrinsic functions that the
// templates use. It creates resources by calling IAM and S3 in the caller's name: if the caller is
// not allowed to change a bucket policy, the stack is rolled back. Changes complete immediately;
// clients never see one in progress.
//
// Terms: a scope contains the values that a template's functions can reference. A resource has a
// logical name in the template, and a physical name once it is created.
package cloudformation

import (
	"net/http"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

const namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"

func operations() map[string]func(*request, *wire.XML) error {
	return map[string]func(*request, *wire.XML) error{
		"DescribeStacks": (*request).describeStacks, "CreateChangeSet": (*request).createChangeSet, "DescribeChangeSet": (*request).describeChangeSet,
		"ExecuteChangeSet": (*request).executeChangeSet, "DeleteStack": (*request).deleteStack, "DescribeStackEvents": (*request).describeStackEvents,
		"GetTemplateSummary": (*request).getTemplateSummary, "GetTemplate": (*request).getTemplate,
	}
}

func (q *request) serve() (*wire.Response, error) {
	operation := operations()[q.Operation]
	if operation == nil {
		return nil, wire.ErrNotImplemented("cloudformation " + q.Operation)
	}
	x := core.Question{
		Action: "cloudformation:" + q.Operation, Account: q.Caller.Account.ID(), Kind: iam.Bucket,
		Resource: q.Caller.Account.ARN("cloudformation", q.Region, "stack/"+q.stackName()+"/*"),
	}
	if d := q.Decide(x); !d.Allowed {
		return nil, wire.Refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s %s",
			q.Caller.Caller.ARN, x.Action, x.Resource, d.Reason())
	}
	q.stacks.mu.Lock()
	defer q.stacks.mu.Unlock()
	result := &wire.XML{}
	if err := operation(q, result); err != nil {
		return nil, err
	}
	return form.Answer(q.Operation, q.ID, namespace, result.Bytes()), nil
}

// Serve adds CloudFormation to the cloud.
func Serve(c *core.Cloud) {
	all := &stacks{}
	c.Serve(core.Service{Name: "cloudformation", Protocol: wire.Form, Namespace: namespace, Serve: func(q *core.Request) (*wire.Response, error) {
		return (&request{q, all}).serve()
	}})
}
