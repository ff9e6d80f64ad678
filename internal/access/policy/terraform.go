package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/arn"
)

// Terraform returns a Terraform file for each account. Roles are resources with their trust
// policies and permissions. A key already has a policy with other statements, so the file has an
// output with the statements to add to that policy.
func Terraform(documents []Document) ([]Rendered, error) {
	var files []Rendered
	for _, group := range byAccount(documents) {
		t := terraform{made: madeRoles(group)}
		for _, d := range group {
			if err := t.add(d); err != nil {
				return nil, err
			}
		}
		first := group[0]
		text := fmt.Sprintf("# Account %s, on the %s's side. Import existing resources before you apply this.\n", first.Account, first.Side) + t.variables() + t.text.String()
		files = append(files, Rendered{fmt.Sprintf("%s-%s.tf", first.Side, first.Account), []byte(text)})
	}
	return files, nil
}

// terraform is one file in preparation.
type terraform struct {
	text strings.Builder
	made []string // ARNs of the roles that are resources of the file
}

func (t *terraform) add(d Document) error {
	body, err := t.encoded(d)
	if err != nil {
		return err
	}
	fmt.Fprintf(&t.text, "\n# The %s.\n", d.Title)
	for _, note := range d.Notes {
		fmt.Fprintf(&t.text, "# %s\n", strings.ReplaceAll(note, "\n", " "))
	}
	label, name := identifier(d.Name), arn.Name(d.Target)
	switch {
	case d.Kind == access.KindTrust:
		t.resource("aws_iam_role", identifier(name), "name", hclText(name), "path", hclText(pathOf(d.Target)), "assume_role_policy", body)
	case d.Kind == access.KindIdentity && arn.Kind(d.Target) == "role":
		t.resource("aws_iam_role_policy", identifier(name), "name", `"syncd"`, "role", t.role(d.Target), "policy", body)
	case d.Kind == access.KindIdentity && arn.Kind(d.Target) == "user":
		t.resource("aws_iam_user_policy", identifier(name), "name", `"syncd"`, "user", hclText(name), "policy", body)
	case d.Kind == access.KindAccessPoint:
		t.resource("aws_s3control_access_point_policy", identifier(arn.Name(d.Target)), "access_point_arn", hclText(d.Target), "policy", body)
	case d.Kind == access.KindBucket && d.named():
		t.resource("aws_s3_bucket_policy", identifier(d.Target), "bucket", hclText(d.Target), "policy", body)
	case d.Kind == access.KindLifecycle:
		t.lifecycle(d)
	default:
		fmt.Fprintf(&t.text, "output %q {\n  value = %s\n}\n", label, body)
	}
	return nil
}

// role returns an expression for the name of a role, which is a reference if the role is a resource
// of this file. The reference makes Terraform create the role first.
func (t *terraform) role(role string) string {
	name := arn.Name(role)
	if slices.Contains(t.made, role) {
		return "aws_iam_role." + identifier(name) + ".name"
	}
	return hclText(name)
}

// resource writes a resource block. pairs are alternating attribute names and expressions.
func (t *terraform) resource(kind, label string, pairs ...string) {
	var attributes []hclPair
	for i := 0; i < len(pairs); i += 2 {
		attributes = append(attributes, hclPair{pairs[i], pairs[i+1]})
	}
	fmt.Fprintf(&t.text, "resource %q %q {\n%s}\n", kind, label, hclPairs(attributes, "  "))
}

// encoded returns the body as a Terraform expression.
func (t *terraform) encoded(d Document) (string, error) {
	if d.Kind == access.KindLifecycle {
		return "", nil
	}
	text, err := d.Body.MarshalJSON()
	if err == nil {
		var expression string
		if expression, err = hclExpression(text, "  "); err == nil {
			return "jsonencode(" + expression + ")", nil
		}
	}
	return "", fmt.Errorf("write %s: %w", d.Title, err)
}

// variables returns declarations of the variables that the text refers to.
func (t *terraform) variables() string {
	var b strings.Builder
	for _, m := range distinct(regexp.MustCompile(`var\.external_id_[A-Za-z0-9_-]+`).FindAllString(t.text.String(), -1)) {
		name := strings.TrimPrefix(m, "var.")
		fmt.Fprintf(&b, "\nvariable %q {\n  description = %q\n  type        = string\n  sensitive   = true\n}\n",
			name, "ExternalId of role "+strings.TrimPrefix(name, "external_id_"))
	}
	return b.String()
}

func (t *terraform) lifecycle(d Document) {
	fmt.Fprintf(&t.text, "resource %q %q {\n  bucket = %s\n", "aws_s3_bucket_lifecycle_configuration", identifier(d.Target), hclText(d.Target))
	rules, _ := d.Body.(*Lifecycle)
	for i, r := range rules.Rules {
		fmt.Fprintf(&t.text, "\n  rule {\n    id     = %q\n    status = \"Enabled\"\n\n    filter {\n      prefix = %s\n    }\n\n"+
			"    abort_incomplete_multipart_upload {\n      days_after_initiation = %d\n    }\n  }\n",
			fmt.Sprintf(ruleName, i+1), hclText(r.Prefix), r.AbortAfterDays)
	}
	t.text.WriteString("}\n")
}

// identifier converts text to a Terraform identifier.
func identifier(text string) string {
	name := regexp.MustCompile(`[^A-Za-z0-9_-]`).ReplaceAllString(text, "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' || name[0] == '-' {
		name = "account_" + name
	}
	return name
}
