package lint

import (
	"fmt"
	"slices"
	"strings"

	"syncd/internal/access/lint/condition"
	"syncd/internal/access/lint/coverage"
	"syncd/internal/access/lint/danger"
	"syncd/internal/access/lint/document"
	"syncd/internal/access/lint/element"
	"syncd/internal/access/lint/rule"
)

// The IDs of the rules about documents as a whole.
const (
	refused = "SYNCD-P013"
)

// ownRules returns the rules about documents as a whole.
func ownRules() []rule.Rule {
	return []rule.Rule{
		{
			ID: refused, Name: "refused", Severity: rule.SeverityError, Title: "AWS would refuse the document",
			Explanation: "The strict reading of the document found what no other rule has a name for.",
		},
	}
}

// Rules returns the rules for every kind of finding, in the order of their IDs: P0 for text that
// AWS rejects, P1 for names, P2 for conditions, P3 for dangerous policies, P4 for permissions that
// a mapping lacks.
func Rules() []rule.Rule {
	all := slices.Concat(ownRules(), document.Rules(), element.Rules(), condition.Rules(), danger.Rules(), coverage.Rules())
	slices.SortFunc(all, func(a, b rule.Rule) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// RulesMarkdown returns the page docs/policy-check.md.
func RulesMarkdown() []byte {
	var b strings.Builder
	b.WriteString(`# What syncd policy check finds

Written by a test from the rules in internal/access/lint; change them there.

An error is a document that AWS refuses, that does not do what it says, or that lets in the world. A warning is one that AWS takes and
that does more or less than its author is likely to believe. A note leaves a document in order. The command ends with 4 when there is
an error or a warning. Ids never change their meaning.

| id | name | severity | means |
|---|---|---|---|
`)
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| [%s](#%s-%s) | %s | %s | %s |\n", r.ID, strings.ToLower(r.ID), r.Name, r.Name, r.Severity, r.Title)
	}
	for _, r := range Rules() {
		fmt.Fprintf(&b, "\n## %s %s\n\n%s. %s\n", r.ID, r.Name, r.Title, r.Explanation)
	}
	return []byte(b.String())
}
