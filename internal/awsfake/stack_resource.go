package awsfake

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// resource is one of a stack: what the template says of it, and what it became.
type resource struct {
	logical, kind string
	properties    map[string]any
	physical      string // "" until it is made
}

// resourceKinds are the types of resource that a template may have, in the order in which they are made, each with its properties.
func resourceKinds() []struct {
	name       string
	properties []string
} {
	return []struct {
		name       string
		properties []string
	}{
		{"AWS::IAM::Role", []string{"RoleName", "Path", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Policies", "ManagedPolicyArns"}},
		{"AWS::IAM::RolePolicy", []string{"RoleName", "PolicyName", "PolicyDocument"}},
		{"AWS::IAM::UserPolicy", []string{"UserName", "PolicyName", "PolicyDocument"}},
		{"AWS::S3::BucketPolicy", []string{"Bucket", "PolicyDocument"}},
	}
}

// as sends a request to another service in the caller's name, as CloudFormation does.
func (q *request) as(service, operation, bucket, body string, form url.Values) (*response, error) {
	sub := &request{
		cloud: q.cloud, id: q.id, path: "/", query: url.Values{}, service: service, operation: operation, bucket: bucket, form: form,
		signature: &signature{payloadHash: unsignedPayload}, region: q.region, caller: q.caller,
		http: &http.Request{
			Method: http.MethodPost, Header: http.Header{}, URL: &url.URL{Path: "/"}, Host: q.http.Host, RemoteAddr: q.http.RemoteAddr, TLS: q.http.TLS,
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		},
	}
	sub.learn()
	sub.facts["aws:ViaAWSService"] = []string{"true"}
	sub.facts["aws:CalledVia"] = []string{"cloudformation.amazonaws.com"}
	if service == serviceS3 {
		return sub.serveS3()
	}
	return sub.serveIAM()
}

func (q *request) asIAM(operation string, parameters ...string) error {
	form := url.Values{"Action": {operation}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	_, err := q.as(serviceIAM, operation, "", "", form)
	return err
}

// text is a property that is a string; "" when it is not there.
func (r *resource) text(name string) string {
	v, ok := r.properties[name]
	if !ok {
		return ""
	}
	return fmt.Sprint(v)
}

// make makes the resource, or with exists changes it to what the template says now.
func (q *request) make(s *scope, r *resource, exists bool) error {
	switch r.kind {
	case "AWS::IAM::Role":
		return q.makeRole(s, r, exists)
	case "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy":
		holder := strings.TrimSuffix(strings.TrimPrefix(r.kind, "AWS::IAM::"), "Policy")
		r.physical = r.text("PolicyName")
		return q.asIAM("Put"+holder+"Policy", holder+"Name", r.text(holder+"Name"), "PolicyName", r.physical, "PolicyDocument", document(r.properties["PolicyDocument"]))
	}
	bucket := r.text("Bucket")
	if !exists {
		if _, err := q.as(serviceS3, "GetBucketPolicy", bucket, "", nil); err == nil {
			return refuse(http.StatusBadRequest, "AlreadyExists", "The bucket policy already exists on bucket %s.", bucket)
		}
	}
	r.physical = bucket
	_, err := q.as(serviceS3, "PutBucketPolicy", bucket, document(r.properties["PolicyDocument"]), nil)
	return err
}

func (q *request) makeRole(s *scope, r *resource, exists bool) error {
	if r.physical == "" {
		if r.physical = r.text("RoleName"); r.physical == "" {
			r.physical = r.logical + "-" + q.cloud.random.letters(12)
		}
	}
	name, trust := r.physical, document(r.properties["AssumeRolePolicyDocument"])
	var err error
	if exists {
		err = q.asIAM("UpdateAssumeRolePolicy", "RoleName", name, "PolicyDocument", trust)
	} else {
		err = q.asIAM("CreateRole", "RoleName", name, "Path", r.text("Path"), "AssumeRolePolicyDocument", trust,
			"Description", r.text("Description"), "MaxSessionDuration", r.text("MaxSessionDuration"))
		if err != nil {
			r.physical = ""
		}
	}
	if err != nil {
		return err
	}
	policies, _ := r.properties["Policies"].([]any)
	for _, p := range policies {
		inline, _ := p.(map[string]any)
		err := q.asIAM("PutRolePolicy", "RoleName", name, "PolicyName", fmt.Sprint(inline["PolicyName"]), "PolicyDocument", document(inline["PolicyDocument"]))
		if err != nil {
			return err
		}
	}
	attached, _ := r.properties["ManagedPolicyArns"].([]any)
	for _, arn := range attached {
		if err := q.asIAM("AttachRolePolicy", "RoleName", name, "PolicyArn", fmt.Sprint(arn)); err != nil {
			return err
		}
	}
	q.cloud.mu.RLock()
	defer q.cloud.mu.RUnlock()
	role := q.cloud.roleNamed(q.caller.account, name)
	s.names[r.logical], s.attributes[r.logical+".Arn"], s.attributes[r.logical+".RoleId"] = name, role.ARN, role.id
	return nil
}

// remove deletes the resource. What is not there any more is no fault.
func (q *request) remove(r *resource) error {
	var err error
	switch {
	case r.physical == "":
	case r.kind == "AWS::IAM::Role":
		policies, _ := r.properties["Policies"].([]any)
		for _, p := range policies {
			inline, _ := p.(map[string]any)
			err = firstOf(err, gone(q.asIAM("DeleteRolePolicy", "RoleName", r.physical, "PolicyName", fmt.Sprint(inline["PolicyName"]))))
		}
		attached, _ := r.properties["ManagedPolicyArns"].([]any)
		for _, arn := range attached {
			err = firstOf(err, gone(q.asIAM("DetachRolePolicy", "RoleName", r.physical, "PolicyArn", fmt.Sprint(arn))))
		}
		err = firstOf(err, gone(q.asIAM("DeleteRole", "RoleName", r.physical)))
	case r.kind == "AWS::S3::BucketPolicy":
		_, err = q.as(serviceS3, "DeleteBucketPolicy", r.physical, "", nil)
		err = gone(err)
	default:
		holder := strings.TrimSuffix(strings.TrimPrefix(r.kind, "AWS::IAM::"), "Policy")
		err = gone(q.asIAM("Delete"+holder+"Policy", holder+"Name", r.text(holder+"Name"), "PolicyName", r.physical))
	}
	return err
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// gone takes the error that something is not there for success.
func gone(err error) error {
	if refused, ok := errors.AsType[*apiError](err); ok && refused.status == http.StatusNotFound {
		return nil
	}
	return err
}

// plannedResources are those of the template whose condition holds, in the order in which they are made. Their properties are evaluated
// when they are made, since they may name what was made before.
func (s *scope) plannedResources() ([]*resource, error) {
	var list []*resource
	for _, logical := range slices.Sorted(maps.Keys(s.resources)) {
		declared, _ := s.resources[logical].(map[string]any)
		if name, ok := declared["Condition"].(string); ok {
			holds, err := s.condition(name)
			if err != nil {
				return nil, err
			}
			if !holds {
				continue
			}
		}
		r := &resource{logical: logical, kind: fmt.Sprint(declared["Type"])}
		r.properties, _ = declared["Properties"].(map[string]any)
		if err := r.known(); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	slices.SortStableFunc(list, func(a, b *resource) int { return a.rank() - b.rank() })
	return list, nil
}

func (r *resource) rank() int {
	for i, kind := range resourceKinds() {
		if kind.name == r.kind {
			return i
		}
	}
	return -1
}

func (r *resource) known() error {
	at := r.rank()
	if at < 0 {
		return errNotImplemented("template resource " + r.kind)
	}
	for _, name := range slices.Sorted(maps.Keys(r.properties)) {
		if !slices.Contains(resourceKinds()[at].properties, name) {
			return errNotImplemented("property " + name + " of template resource " + r.kind)
		}
	}
	return nil
}
