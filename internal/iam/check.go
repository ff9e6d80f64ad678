package iam

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"syncd/internal/ascii"
)

// CheckKind returns everything that makes the document invalid as a policy of that kind, as joined
// *[SyntaxError] values, or nil if it is valid. AWS does not store an invalid policy: S3 returns
// "MalformedPolicy", IAM and KMS return "MalformedPolicyDocument".
func (d *Document) CheckKind(kind ResourceKind) error {
	var faults []error
	for i := range d.Statements {
		s := &d.Statements[i]
		for _, u := range slices.Concat(s.unfitSID(kind), s.unfitPrincipals(kind), s.unfitActions(kind), s.unfitResources(kind)) {
			path := fmt.Sprintf("Statement[%d].%s", i, u.element)
			faults = append(faults, &SyntaxError{Line: s.Line, Path: path, Problem: u.problem})
		}
	}
	return errors.Join(faults...)
}

// unfit is an element that is invalid in a policy of the checked kind, with a description of the
// problem.
type unfit struct{ element, problem string }

// unfitSID checks the Sid: IAM allows only letters and digits, while S3 and KMS also allow spaces.
func (s *Statement) unfitSID(kind ResourceKind) []unfit {
	if (kind == Identity || kind == Trust) && s.SID != "" && !ascii.Word(s.SID, "") {
		return []unfit{{"Sid", "has characters other than letters and digits: " + s.SID}}
	}
	return nil
}

func (s *Statement) unfitPrincipals(kind ResourceKind) []unfit {
	named := len(s.Principals) > 0 || len(s.NotPrincipals) > 0
	switch {
	case kind == Identity && named:
		return []unfit{{"Principal", "must not appear in an identity policy"}}
	case kind != Identity && !named:
		return []unfit{{"Principal", "is missing"}}
	case kind == Trust && len(s.NotPrincipals) > 0:
		return []unfit{{"NotPrincipal", "must not appear in a trust policy"}}
	case s.Effect == Allow && len(s.NotPrincipals) > 0:
		return []unfit{{"NotPrincipal", "must not be used with Allow: it would allow everyone who is not listed"}}
	}
	return nil
}

// unfitActions checks the actions. In a key policy it allows a statement without actions, because
// KMS accepts the statement, although it has no effect.
func (s *Statement) unfitActions(kind ResourceKind) []unfit {
	if len(s.Actions) == 0 && len(s.NotActions) == 0 && kind != Key {
		return []unfit{{"Action", "is missing"}}
	}
	var list []unfit
	for _, action := range slices.Concat(s.Actions, s.NotActions) {
		service, _, _ := strings.Cut(action, ":")
		if want := kind.service(); want != "" && action != "*" && !strings.EqualFold(service, want) {
			list = append(list, unfit{"Action", "is not an action of " + want + ": " + action})
		}
	}
	return list
}

// service returns the only service whose actions a policy of the kind may name, or "" if it may
// name actions of any service. KMS accepts actions of other services in a key policy, but they have
// no effect.
func (k ResourceKind) service() string {
	switch k {
	case Bucket:
		return "s3"
	case Trust:
		return "sts"
	case Queue:
		return "sqs"
	case Key, Identity:
	}
	return ""
}

// unfitResources checks the resources. In a key policy it allows a statement without resources,
// because KMS accepts the statement, although it has no effect.
func (s *Statement) unfitResources(kind ResourceKind) []unfit {
	named := len(s.Resources) > 0 || len(s.NotResources) > 0
	switch {
	case kind == Trust && named:
		return []unfit{{"Resource", "must not appear in a trust policy: the resource is the role itself"}}
	case kind != Trust && kind != Key && !named:
		return []unfit{{"Resource", "is missing"}}
	}
	return nil
}
