package policy

import (
	"encoding/json"
	"strings"

	"syncd/internal/access"
	"syncd/internal/iam"
)

// Document is one document that an account must put in force.
type Document struct {
	// Name is a file name without extension, unique among the documents.
	Name string
	// Title describes the document in one line.
	Title string
	Side  access.Side
	// Account is the account that the document belongs to.
	Account string
	Kind    access.Kind
	// Target is the resource or principal that the document applies to: the ARN of a role, user,
	// key or access point, or the name of a bucket.
	Target string
	// Body is a *iam.Document, or a *Lifecycle for [access.KindLifecycle].
	Body json.Marshaler
	// Mappings are the names of the mappings that need the document.
	Mappings []string
	// Notes describe what to do or to know before putting the document in force.
	Notes []string
}

// named reports whether the target of a bucket policy is a bucket name. If the name is unknown, the
// target describes the bucket instead.
func (d Document) named() bool { return !strings.Contains(d.Target, " ") }

// Policy returns the document as a policy, or nil if it is not one.
func (d Document) Policy() *iam.Document {
	policy, _ := d.Body.(*iam.Document)
	return policy
}
