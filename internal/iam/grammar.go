package iam

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"syncd/internal/arn"
)

// The parser has one method for each element of "Grammar of the IAM JSON policy language".

func (p *parser) document() (*Document, error) {
	d := &Document{}
	err := p.object("", func(name, path string) (err error) {
		switch name {
		case "Version":
			d.Version, err = p.version(path)
		case "Id":
			d.ID, err = p.text(path)
		case "Statement":
			d.Statements, err = p.statementList(path)
		default:
			err = p.fault(p.at, path, "is not an element of a policy")
		}
		return err
	})
	if err == nil && len(d.Statements) == 0 {
		err = p.fault(0, "Statement", "is missing")
	}
	return d, err
}

func (p *parser) version(path string) (string, error) {
	text, err := p.text(path)
	if err == nil && text != Version2012 && text != Version2008 {
		err = p.fault(p.at, path, "is neither "+Version2012+" nor "+Version2008)
	}
	return text, err
}

// statementList parses an array of statements, or a single statement.
func (p *parser) statementList(path string) ([]Statement, error) {
	token, err := p.next(path)
	switch {
	case err != nil:
		return nil, err
	case token == json.Delim('{'):
		s, err := p.statement(path + "[0]")
		return []Statement{s}, err
	case token != json.Delim('['):
		return nil, p.fault(p.at, path, "is neither an array nor an object")
	}
	start := p.at
	var list []Statement
	var sids []string
	for p.dec.More() {
		s, err := p.listed(fmt.Sprintf("%s[%d]", path, len(list)), sids)
		if err != nil {
			return nil, err
		}
		list, sids = append(list, s), append(sids, s.SID)
	}
	if len(list) == 0 {
		return nil, p.fault(start, path, "is empty")
	}
	_, err = p.next(path)
	return list, err
}

// listed parses a statement of an array. The statement's Sid must differ from sids, the Sids of the
// earlier statements.
func (p *parser) listed(path string, sids []string) (Statement, error) {
	token, err := p.next(path)
	if err != nil {
		return Statement{}, err
	}
	if token != json.Delim('{') {
		return Statement{}, p.fault(p.at, path, "is not an object")
	}
	start := p.at
	s, err := p.statement(path)
	if err == nil && s.SID != "" && slices.Contains(sids, s.SID) {
		err = p.fault(start, path+".Sid", "is already used by another statement: "+s.SID)
	}
	return s, err
}

// statement parses a statement after its opening brace.
func (p *parser) statement(path string) (Statement, error) {
	start := p.at
	p.statements = append(p.statements, start)
	s := Statement{Line: 1 + strings.Count(string(p.data[:start]), "\n")}
	err := p.members(path, func(name, path string) error { return p.element(&s, name, path) })
	if err == nil {
		err = p.checkStatement(&s, start, path)
	}
	return s, err
}

func (p *parser) element(s *Statement, name, path string) (err error) {
	switch name {
	case "Sid":
		s.SID, err = p.text(path)
	case "Effect":
		s.Effect, err = p.effect(path)
	case "Principal":
		s.Principals, err = p.principals(path)
	case "NotPrincipal":
		s.NotPrincipals, err = p.principals(path)
	case "Action":
		s.Actions, err = p.list(path, false, checkAction)
	case "NotAction":
		s.NotActions, err = p.list(path, false, checkAction)
	case "Resource":
		s.Resources, err = p.list(path, false, checkResource)
	case "NotResource":
		s.NotResources, err = p.list(path, false, checkResource)
	case "Condition":
		s.Conditions, err = p.conditions(path)
	default:
		err = p.fault(p.at, path, "is not an element of a statement")
	}
	return err
}

func (p *parser) effect(path string) (Effect, error) {
	text, err := p.text(path)
	if err == nil && text != string(Allow) && text != string(Deny) {
		err = p.fault(p.at, path, "is neither Allow nor Deny")
	}
	return Effect(text), err
}

func (p *parser) checkStatement(s *Statement, start int, path string) error {
	switch {
	case s.Effect == "":
		return p.fault(start, path+".Effect", "is missing")
	case s.Principals != nil && s.NotPrincipals != nil:
		return p.fault(start, path+".NotPrincipal", "cannot be combined with Principal")
	case s.Actions != nil && s.NotActions != nil:
		return p.fault(start, path+".NotAction", "cannot be combined with Action")
	case s.Resources != nil && s.NotResources != nil:
		return p.fault(start, path+".NotResource", "cannot be combined with Resource")
	}
	return nil
}

// checkAction implements IAM's rules: "Action vendors (e.g., aws, ec2, etc.) must not contain
// wildcards", and "can contain only one colon".
func checkAction(text string) string {
	service, name, ok := strings.Cut(text, ":")
	switch {
	case text == "*":
	case !ok || service == "" || name == "":
		return "is not * or service:action"
	case strings.ContainsAny(service, wildcards):
		return "has a wildcard for its service"
	case strings.Contains(name, ":"):
		return "has more than one colon"
	}
	return ""
}

// checkResource also accepts an ARN with fewer than six fields, because [complete] adds the missing
// fields as wildcards. The service field must be present: "You can't use a wildcard in the service
// segment that identifies the AWS product" (IAM JSON policy elements: Resource).
func checkResource(text string) string {
	service := serviceField(text)
	switch {
	case text == "*":
	case !arn.Is(text):
		return "is not * or an ARN"
	case service == "":
		return "does not name a service"
	case strings.ContainsAny(service, wildcards):
		return "has a wildcard for its service"
	}
	return ""
}

// principals parses "*", or an object of principal kinds.
func (p *parser) principals(path string) ([]Principal, error) {
	token, err := p.next(path)
	switch {
	case err != nil:
		return nil, err
	case token == json.Token("*"):
		return []Principal{{Kind: AnyPrincipal}}, nil
	case token != json.Delim('{'):
		return nil, p.fault(p.at, path, "is neither * nor an object")
	}
	start := p.at
	var list []Principal
	err = p.members(path, func(name, path string) error {
		kind := PrincipalKind(name)
		if !slices.Contains([]PrincipalKind{AWSPrincipal, ServicePrincipal, FederatedPrincipal, CanonicalUserPrincipal}, kind) {
			return p.fault(p.at, path, "is not a kind of principal")
		}
		ids, err := p.list(path, false, kind.check)
		for _, id := range ids {
			list = append(list, Principal{Kind: kind, ID: id})
		}
		return err
	})
	if err == nil && len(list) == 0 {
		err = p.fault(start, path, "is empty")
	}
	return list, err
}

// check returns what is wrong with the ID of a principal, or "" if the ID is valid. Only an AWS
// principal may be *, and no ID may contain a wildcard.
func (k PrincipalKind) check(id string) string {
	switch {
	case id == "":
		return "is empty"
	case k == AWSPrincipal && id == "*":
		return ""
	case strings.ContainsAny(id, "*?"):
		return "has a wildcard, which a principal cannot have: use a condition on aws:PrincipalArn"
	}
	return ""
}

func (p *parser) conditions(path string) ([]Condition, error) {
	var list []Condition
	err := p.object(path, func(name, path string) error {
		op, ok := parseOperator(name)
		if !ok {
			return p.fault(p.at, path, "is not a condition operator")
		}
		return p.object(path, func(key, path string) error {
			if !strings.Contains(key, ":") {
				return p.fault(p.at, path, "is not a condition key")
			}
			values, err := p.list(path, true, func(value string) string {
				if !op.accommodates(value) {
					return "is not a value for " + name + ": " + strconv.Quote(value)
				}
				return ""
			})
			list = append(list, Condition{Operator: name, Key: key, Values: values})
			return err
		})
	})
	return list, err
}

// checkVariables checks the variables after everything else is parsed. Whether ${ starts a variable
// depends on Version, which can come after the statements in the text.
func (p *parser) checkVariables(d *Document) error {
	if d.Version != Version2012 {
		return nil
	}
	for i, s := range d.Statements {
		path := fmt.Sprintf("Statement[%d]", i)
		for _, u := range s.variableUses() {
			if err := checkVariables(u.text); err != nil {
				return p.fault(p.statements[i], path+"."+u.element, err.Error()+": "+strconv.Quote(u.text))
			}
		}
	}
	return nil
}

type variableUse struct{ element, text string }

// variableUses lists the texts in which ${ starts a variable: the sixth component of resources, and
// condition values that are text or ARNs.
func (s *Statement) variableUses() []variableUse {
	var list []variableUse
	for _, r := range s.Resources {
		list = append(list, variableUse{"Resource", r[resourcePart(r):]})
	}
	for _, r := range s.NotResources {
		list = append(list, variableUse{"NotResource", r[resourcePart(r):]})
	}
	for _, c := range s.Conditions {
		op, _ := parseOperator(c.Operator)
		for _, v := range c.Values {
			if op.takesVariables() {
				list = append(list, variableUse{"Condition." + c.Operator + "." + c.Key, v})
			}
		}
	}
	return list
}
