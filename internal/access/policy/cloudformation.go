package policy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/arn"
)

// CloudFormation returns a JSON template for each account. Roles are resources with their trust
// policies and permissions. A template cannot add statements to the policy of an existing key, or
// rules to the lifecycle configuration of an existing bucket, so the template contains those
// documents in its metadata.
func CloudFormation(documents []Document) ([]Rendered, error) {
	var files []Rendered
	for _, group := range byAccount(documents) {
		t, err := newTemplate(group)
		if err != nil {
			return nil, err
		}
		text, err := encode(t)
		if err != nil {
			return nil, err
		}
		files = append(files, Rendered{fmt.Sprintf("%s-%s.template.json", group[0].Side, group[0].Account), text})
	}
	return files, nil
}

// template is a CloudFormation template (AWS CloudFormation User Guide, "Template sections").
type template struct {
	AWSTemplateFormatVersion string
	Description              string
	Metadata                 map[string]any               `json:",omitempty"`
	Parameters               map[string]templateParameter `json:",omitempty"`
	Resources                map[string]templateResource

	made []string // ARNs of the roles that are resources of the template
}

type templateParameter struct {
	Type        string
	NoEcho      bool
	MinLength   int // AWS STS API Reference, AssumeRole
	Description string
}

type templateResource struct {
	Type       string
	Properties map[string]any
}

func newTemplate(documents []Document) (*template, error) {
	first := documents[0]
	t := &template{
		AWSTemplateFormatVersion: "2010-09-09", Description: fmt.Sprintf("syncd: account %s, on the %s's side", first.Account, first.Side),
		Metadata: map[string]any{}, Parameters: map[string]templateParameter{}, Resources: map[string]templateResource{},
		made: madeRoles(documents),
	}
	for _, d := range documents {
		body, err := access.Compact(d.Body)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", d.Title, err)
		}
		t.add(d, t.parameterized(body))
	}
	return t, nil
}

// parameterized replaces ExternalIds with references to parameters.
func (t *template) parameterized(body []byte) json.RawMessage {
	text := string(body)
	for _, role := range markedRoles(text) {
		name := "ExternalIdOf" + logicalID(role)
		t.Parameters[name] = templateParameter{Type: "String", NoEcho: true, MinLength: 2, Description: "ExternalId of role " + role}
		text = strings.ReplaceAll(text, `"`+externalIDMark+role+`"`, fmt.Sprintf(`{"Ref":%q}`, name))
	}
	return json.RawMessage(text)
}

func (t *template) add(d Document, body json.RawMessage) {
	name := arn.Name(d.Target)
	switch {
	case d.Kind == access.KindTrust:
		t.Resources["Role"+logicalID(name)] = templateResource{"AWS::IAM::Role", map[string]any{
			"RoleName": name, "Path": pathOf(d.Target), "AssumeRolePolicyDocument": body,
		}}
	case d.Kind == access.KindIdentity && arn.Kind(d.Target) == "role":
		t.Resources["PermissionsOf"+logicalID(name)] = templateResource{"AWS::IAM::RolePolicy", map[string]any{
			"PolicyName": "syncd", "RoleName": t.role(d.Target), "PolicyDocument": body,
		}}
	case d.Kind == access.KindIdentity && arn.Kind(d.Target) == "user":
		t.Resources["PermissionsOf"+logicalID(name)] = templateResource{"AWS::IAM::UserPolicy", map[string]any{
			"PolicyName": "syncd", "UserName": name, "PolicyDocument": body,
		}}
	case d.Kind == access.KindBucket && d.named():
		t.Resources["PolicyOf"+logicalID(d.Target)] = templateResource{"AWS::S3::BucketPolicy", map[string]any{
			"Bucket": d.Target, "PolicyDocument": body,
		}}
	default:
		t.Metadata[d.Name] = map[string]any{"Title": d.Title, "Document": body}
	}
}

// role returns the name of a role, as a reference if the role is a resource of this template. The
// reference makes CloudFormation create the role first.
func (t *template) role(role string) any {
	name := arn.Name(role)
	if slices.Contains(t.made, role) {
		return map[string]string{"Ref": "Role" + logicalID(name)}
	}
	return name
}

// logicalID converts text to a CloudFormation logical ID, which has only letters and digits. It
// encodes all other characters, so that different texts have different IDs.
func logicalID(text string) string {
	spelled := regexp.MustCompile(`[^A-Za-z0-9]`).ReplaceAllStringFunc(text, func(s string) string {
		if s == "-" {
			return "Dash"
		}
		return fmt.Sprintf("X%x", s)
	})
	return strings.ToUpper(spelled[:1]) + spelled[1:]
}
