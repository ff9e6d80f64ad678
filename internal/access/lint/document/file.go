package document

import "syncd/internal/access"

// File is a text to check: a policy, or AWS CLI output that contains one.
type File struct {
	Name   string // the name used in findings
	Data   []byte
	Kind   access.Kind // "" to determine it from the text
	Target string      // the ARN of the role, bucket, access point, key or queue that the text belongs to; "" to determine it from the text, which may not state it
}
