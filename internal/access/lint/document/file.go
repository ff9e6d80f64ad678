package document

import "syncd/internal/access"

// File is a text to be judged: a policy, or what the AWS CLI prints around one.
type File struct {
	Name   string // what findings call it
	Data   []byte
	Kind   access.Kind // "" to find out from the text
	Target string      // the ARN of the role, bucket, access point, key or queue that it belongs to; "" to find out, which a bare policy may not tell
}
