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
			Explanation: "A policy is JSON in UTF-8 and nothing else: no comments, no trailing commas, double quotes only. The message names the likely cause, and the place is where reading stopped or where the cause stands.",
		},
		{
			ID: unknownElement, Name: "unknown-element", Severity: rule.SeverityError, Title: "An element that the policy language does not have",
			Explanation: "AWS refuses a policy with an element that is not in the grammar of the IAM policy language. Names are case-sensitive, and it is Action, not Actions.",
		},
		{
			ID: MissingElement, Name: "missing-element", Severity: rule.SeverityError, Title: "A required element is missing",
			Explanation: "Every statement has an Effect, Action or NotAction, and but for a trust policy Resource or NotResource. KMS stores a statement without Action or Resource, but it has no effect.",
		},
		{
			ID: WrongType, Name: "wrong-type", Severity: rule.SeverityError, Title: "An element has a value of another type",
			Explanation: "An element takes a string, a list of strings or an object, as the grammar of the IAM policy language says; Effect is Allow or Deny, and Version one of two dates.",
		},
		{
			ID: repeatedElement, Name: "repeated-element", Severity: rule.SeverityError, Title: "An element stands twice, or beside its negation",
			Explanation: "Readers of JSON differ in which of two members of one name they believe, so that such a document can mean one thing to its reviewer and another to AWS. An element and its negation exclude each other.",
		},
		{
			ID: repeatedSid, Name: "repeated-sid", Severity: rule.SeverityError, Title: "Two statements have one Sid",
			Explanation: "A Sid is unique within its policy. Statements that were copied often keep it.",
		},
		{
			ID: unknownKind, Name: "unknown-kind", Severity: rule.SeverityError, Title: "The text is no document that is known here",
			Explanation: "It is JSON, but neither a policy, nor what the AWS CLI prints around one, nor lifecycle rules.",
		},
		{
			ID: unknownOperator, Name: "unknown-operator", Severity: rule.SeverityError, Title: "There is no such condition operator",
			Explanation: "AWS refuses operators that it does not know. They are case-sensitive; Null has no IfExists.",
		},
	}
}
