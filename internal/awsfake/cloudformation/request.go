package cloudformation

import (
	"strings"
	"sync"

	"syncd/internal/arn"
	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/form"
)

// calledVia is how the services that CloudFormation asks know it.
const calledVia = "cloudformation.amazonaws.com"

// stacks are those of all accounts and Regions.
type stacks struct {
	mu  sync.Mutex // held while a request is served, before any other
	all []*stack
}

// request is a request to CloudFormation.
type request struct {
	*core.Request
	stacks *stacks
}

// stackName is the name that the request has, or that of the ARN.
func (q *request) stackName() string {
	name := q.Form.Get("StackName")
	a, _ := arn.Split(name)
	if parts := strings.Split(a.Resource, "/"); len(parts) > 1 {
		return parts[1]
	}
	return name
}

// find finds the stack that the request names.
func (q *request) findStack() (*stack, error) {
	for _, s := range q.stacks.all {
		if s.account == q.Caller.Account && s.region == q.Region && s.name == q.stackName() {
			return s, nil
		}
	}
	return nil, form.ErrValidation("Stack with id %s does not exist", q.Form.Get("StackName"))
}
