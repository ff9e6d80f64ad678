package awsfake

import (
	"strings"
	"sync"
)

// sourceStacks is how the services that CloudFormation asks know it.
const sourceStacks = "cloudformation.amazonaws.com"

// stacks are those of all accounts and Regions.
type stacks struct {
	mu  sync.Mutex // held while a request is served, before any other
	all []*stack
}

// stackRequest is a request to CloudFormation.
type stackRequest struct {
	*request
	stacks *stacks
}

// stackName is the name that the request has, or that of the ARN.
func (q *stackRequest) stackName() string {
	name := q.form.Get("StackName")
	if rest, ok := strings.CutPrefix(name, "arn:"); ok {
		if parts := strings.Split(rest, "/"); len(parts) > 1 {
			return parts[1]
		}
	}
	return name
}

// find finds the stack that the request names.
func (q *stackRequest) findStack() (*stack, error) {
	for _, s := range q.stacks.all {
		if s.account == q.caller.account && s.region == q.region && s.name == q.stackName() {
			return s, nil
		}
	}
	return nil, errStackValidation("Stack with id %s does not exist", q.form.Get("StackName"))
}
