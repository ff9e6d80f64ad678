package policy

import (
	"encoding/json"
	"strings"

	"syncd/internal/access"
	"syncd/internal/iam"
)

// Document is one document that an account has to put in force.
type Document struct {
	// Name is a name for a file, without extension, unique among the documents.
	Name string
	// Title says in a line what it is.
	Title string
	Side  access.Side
	// Account is the account that it belongs to.
	Account string
	Kind    access.Kind
	// Target is what it is put on: the ARN of a role, user, key or access point, or the name of a
	// bucket.
	Target string
	// Body is a *iam.Document, or of [KindLifecycle] a *Lifecycle.
	Body json.Marshaler
	// Mappings are the names of the mappings that it is for.
	Mappings []string
	// Notes say what is to be known before it is put in force.
	Notes []string
}

// named reports whether the target of a bucket's policy is its name, and not what it is behind.
func (d Document) named() bool { return !strings.Contains(d.Target, " ") }

// Policy is the document as a policy, nil when it is none.
func (d Document) Policy() *iam.Document {
	policy, _ := d.Body.(*iam.Document)
	return policy
}
