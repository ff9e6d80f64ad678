package document

import "syncd/internal/access/lint/rule"

// The IDs of the rules about the text of a document.
const (
	BrokenJSON      = "SYNCD-P001"
	unknownElement  = "SYNCD-P002"
	MissingElement  = "SYNCD-P003"
	WrongType       = "SYNCD-P004"
	repeatedElement = "SYNCD-P005"
	repeatedSid     = "SYNCD-P006"
	unknownKind     = "SYNCD-P012"
	unknownOperator = "SYNCD-P201"
)

// Rules returns the rules about the text of a document.
func Rules() []rule.Rule {
	return []rule.Rule{
		{
			ID: BrokenJSON, Name: "broken-json", Severity: rule.SeverityError, Title: "The text is not JSON",
			Explanation: "A policy must be JSON in UTF-8: no comments, no trailing commas, and only double quotes. The message names the likely cause. The location is that of the likely cause, or the place where parsing stopped.",
		},
		{
			ID: unknownElement, Name: "unknown-element", Severity: rule.SeverityError, Title: "An element that is not part of the policy language",
			Explanation: "AWS rejects a policy with an element that is not in the grammar of the IAM policy language. Names are case-sensitive and exact: Action, not Actions.",
		},
		{
			ID: MissingElement, Name: "missing-element", Severity: rule.SeverityError, Title: "A required element is missing",
			Explanation: "Every statement must have Effect, Action or NotAction, and, except in a trust policy, Resource or NotResource. KMS accepts a statement without Action or Resource, but the statement has no effect.",
		},
		{
			ID: WrongType, Name: "wrong-type", Severity: rule.SeverityError, Title: "An element has a value of the wrong type",
			Explanation: "According to the grammar of the IAM policy language, an element has a string, a list of strings or an object as its value. Effect is Allow or Deny, and Version is one of two dates.",
		},
		{
			ID: repeatedElement, Name: "repeated-element", Severity: rule.SeverityError, Title: "An element appears twice, or together with its negation",
			Explanation: "JSON parsers differ in how they handle duplicate names, so a reviewer and AWS may read such a document differently. An element and its negation exclude each other.",
		},
		{
			ID: repeatedSid, Name: "repeated-sid", Severity: rule.SeverityError, Title: "Two statements have the same Sid",
			Explanation: "A Sid must be unique within its policy. Copied statements often have the same Sid.",
		},
		{
			ID: unknownKind, Name: "unknown-kind", Severity: rule.SeverityError, Title: "The document is of an unknown type",
			Explanation: "The text is JSON, but it is not a policy, AWS CLI output that contains one, or lifecycle rules.",
		},
		{
			ID: unknownOperator, Name: "unknown-operator", Severity: rule.SeverityError, Title: "Unknown condition operator",
			Explanation: "AWS rejects unknown operators. Operators are case-sensitive, and Null has no IfExists form.",
		},
	}
}
