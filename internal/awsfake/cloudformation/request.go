package cloudformation

import (
	"strings"
	"sync"

	"syncd/internal/arn"
	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/form"
)

// calledVia is CloudFormation's name in aws:CalledVia.
const calledVia = "cloudformation.amazonaws.com"

// stacks are the stacks of all accounts and Regions.
type stacks struct {
	mu  sync.Mutex // held while serving a request; acquired before any other lock
	all []*stack
}

// request is a request to CloudFormation.
type request struct {
	*core.Request
	stacks *stacks
}

// stackName returns the stack name in the request, or the name in its ARN.
func (q *request) stackName() string {
	name := q.Form.Get("StackName")
	a, _ := arn.Split(name)
	if parts := strings.Split(a.Resource, "/"); len(parts) > 1 {
		return parts[1]
	}
	return name
}

// findStack returns the stack that the request names.
func (q *request) findStack() (*stack, error) {
	for _, s := range q.stacks.all {
		if s.account == q.Caller.Account && s.region == q.Region && s.name == q.stackName() {
			return s, nil
		}
	}
	return nil, form.ErrValidation("Stack with id %s does not exist", q.Form.Get("StackName"))
}
