package access

import (
	"cmp"
	"encoding/json"

	"syncd/internal/iam"
)

// Closing returns, as JSON, a statement that allows the actions on the resource of the need. lacks
// is the policy that must contain the statement: [iam.SourceIdentity] means the identity policy of
// the principal, any other value the policy of the resource.
func (n Need) Closing(lacks iam.Source, actions []string) string {
	s := iam.Statement{Effect: iam.Allow, Actions: actions, Resources: []string{n.Resource}}
	for _, c := range n.Conditions {
		s.Conditions = append(s.Conditions, iam.Condition{Operator: c.operator, Key: c.Key, Values: c.Values})
	}
	if lacks != iam.SourceIdentity {
		s.Principals = []iam.Principal{{Kind: iam.AWSPrincipal, ID: cmp.Or(n.Principal, n.Account)}}
		switch n.Kind() { //nolint:exhaustive // all other kinds keep the resource
		case KindTrust:
			s.Resources = nil
			if n.ExternalID {
				s.Conditions = append(s.Conditions, iam.Condition{Operator: "StringEquals", Key: "sts:ExternalId", Values: []string{"THE-EXTERNAL-ID"}})
			}
		case KindKey:
			s.Resources = []string{"*"}
		}
	}
	return statementJSON(s)
}

func statementJSON(s iam.Statement) string {
	text, err := (&iam.Document{Statements: []iam.Statement{s}}).MarshalJSON()
	var d struct{ Statement []json.RawMessage }
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		panic("BUG: write statement: " + err.Error())
	}
	return string(d.Statement[0])
}
