package cloudformation

import (
	"maps"
	"slices"
	"time"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/wire"
)

// stack is a CloudFormation stack. Changes complete immediately; clients never see one in progress.
// Guarded by its service.
type stack struct {
	account           *directory.Account
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

// changeSet is a planned change to a stack.
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

func (s *stack) write(x *wire.XML) {
	x.Element("StackId", s.arn)
	x.Element("StackName", s.name)
	x.Instant("CreationTime", s.created)
	x.Element("StackStatus", s.status)
	x.Optional("StackStatusReason", s.reason)
	x.Boolean("DisableRollback", false)
	keys := slices.Sorted(maps.Keys(s.given))
	x.List("Parameters", len(keys), func(i int) {
		x.Element("ParameterKey", keys[i])
		x.Element("ParameterValue", s.given[keys[i]])
	})
	x.List("Outputs", len(s.outputs), func(i int) {
		x.Element("OutputKey", s.outputs[i][0])
		x.Element("OutputValue", s.outputs[i][1])
		x.Optional("Description", s.outputs[i][2])
	})
}

func (s *stack) pseudo() map[string]string {
	return map[string]string{
		"AWS::Region": s.region, "AWS::AccountId": s.account.ID(), "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
		"AWS::StackName": s.name, "AWS::StackId": s.arn,
	}
}

func (s *stack) find(logical string) *resource {
	for _, r := range s.resources {
		if r.logical == logical {
			return r
		}
	}
	return nil
}

func (s *stack) record(at time.Time, logical, kind, status, reason string) {
	s.events = append(s.events, stackEvent{logical, kind, status, reason, at})
}
