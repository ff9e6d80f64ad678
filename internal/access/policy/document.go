package policy

import (
	"encoding/json"
	"strings"

	"syncd/internal/access"
	"syncd/internal/iam"
)

// Document is one document that an account must put in force.
type Document struct {
	// Name is a file name without extension. No two documents have the same name.
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
	// Body is a *Lifecycle for [access.KindLifecycle], and a *iam.Document for every other kind.
	Body json.Marshaler
	// Mappings are the names of the mappings that need the document.
	Mappings []string
	// Notes describe what the reader must do or know before putting the document in force.
	Notes []string
}

// named reports whether the target of a bucket policy is the name of the bucket. If the name is
// unknown, the target is a description of the bucket instead.
func (d Document) named() bool { return !strings.Contains(d.Target, " ") }

// Policy returns the body as a policy, or nil if the document is a lifecycle configuration.
func (d Document) Policy() *iam.Document {
	policy, _ := d.Body.(*iam.Document)
	return policy
}
