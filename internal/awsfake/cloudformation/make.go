package cloudformation

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"syncd/internal/awsfake/wire"
)

func (q *request) asIAM(operation string, parameters ...string) error {
	form := url.Values{"Action": {operation}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	_, err := q.As(calledVia, "iam", operation, "", "", form)
	return err
}

// make creates the resource, or updates it if it exists.
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
		if _, err := q.As(calledVia, "s3", "GetBucketPolicy", bucket, "", nil); err == nil {
			return wire.Refuse(http.StatusBadRequest, "AlreadyExists", "The bucket policy already exists on bucket %s.", bucket)
		}
	}
	r.physical = bucket
	_, err := q.As(calledVia, "s3", "PutBucketPolicy", bucket, document(r.properties["PolicyDocument"]), nil)
	return err
}

func (q *request) makeRole(s *scope, r *resource, exists bool) error {
	if r.physical == "" {
		if r.physical = r.text("RoleName"); r.physical == "" {
			r.physical = r.logical + "-" + q.Cloud.Random.Letters(12)
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
	d := q.Cloud.Directory
	d.View(func() {
		role := d.RoleNamed(q.Caller.Account, name)
		s.names[r.logical], s.attributes[r.logical+".Arn"], s.attributes[r.logical+".RoleId"] = name, role.ARN, role.ID
	})
	return nil
}

// remove deletes the resource. It succeeds if the resource no longer exists.
func (q *request) remove(r *resource) error {
	var err error
	switch {
	case r.physical == "":
	case r.kind == "AWS::IAM::Role":
		policies, _ := r.properties["Policies"].([]any)
		for _, p := range policies {
			inline, _ := p.(map[string]any)
			err = cmp.Or(err, gone(q.asIAM("DeleteRolePolicy", "RoleName", r.physical, "PolicyName", fmt.Sprint(inline["PolicyName"]))))
		}
		attached, _ := r.properties["ManagedPolicyArns"].([]any)
		for _, arn := range attached {
			err = cmp.Or(err, gone(q.asIAM("DetachRolePolicy", "RoleName", r.physical, "PolicyArn", fmt.Sprint(arn))))
		}
		err = cmp.Or(err, gone(q.asIAM("DeleteRole", "RoleName", r.physical)))
	case r.kind == "AWS::S3::BucketPolicy":
		_, err = q.As(calledVia, "s3", "DeleteBucketPolicy", r.physical, "", nil)
		err = gone(err)
	default:
		holder := strings.TrimSuffix(strings.TrimPrefix(r.kind, "AWS::IAM::"), "Policy")
		err = gone(q.asIAM("Delete"+holder+"Policy", holder+"Name", r.text(holder+"Name"), "PolicyName", r.physical))
	}
	return err
}

// gone returns nil for a "does not exist" error, and err otherwise.
func gone(err error) error {
	if refused, ok := errors.AsType[*wire.Error](err); ok && refused.Status == http.StatusNotFound {
		return nil
	}
	return err
}
