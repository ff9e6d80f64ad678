// Package form implements the query protocol of STS, IAM and CloudFormation: form requests with XML
// responses.
//
// It implements what those services share: the envelope of a response, lists and tags in
// parameters, and the error for an invalid parameter. It leaves the operations and their parameters
// to the services.
//
// Terms: members are the items of a list in a form, numbered from 1. A constraint is a pattern or
// length that a parameter must satisfy.
package form

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"syncd/internal/awsfake/wire"
)

// Answer returns a response of the query protocol. It writes the Result element even if result is
// empty, because the AWS CLI expects that element if the service's model has one.
func Answer(operation, id, namespace string, result []byte) *wire.Response {
	x := wire.NewXML()
	x.OpenNS(operation+"Response", namespace)
	x.Open(operation + "Result")
	x.Raw(result)
	x.Close(operation + "Result")
	x.Open("ResponseMetadata")
	x.Element("RequestId", strings.ToLower(id))
	x.Close("ResponseMetadata")
	x.Close(operation + "Response")
	res := &wire.Response{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}}}
	res.SetBody(x.Bytes())
	return res
}

// Members returns a list parameter.
func Members(f url.Values, name string) []string {
	var list []string
	for i := 1; f.Has(fmt.Sprintf("%s.member.%d", name, i)); i++ {
		list = append(list, f.Get(fmt.Sprintf("%s.member.%d", name, i)))
	}
	return list
}

// Tags returns the tags of an STS or IAM call, and their keys in the order of the request.
func Tags(f url.Values) (keys []string, tags map[string]string, err error) {
	tags = map[string]string{}
	for i := 1; ; i++ {
		member := fmt.Sprintf("Tags.member.%d.", i)
		key, value := f.Get(member+"Key"), f.Get(member+"Value")
		if !f.Has(member + "Key") {
			break
		}
		if wire.ContainsFold(keys, key) {
			return nil, nil, wire.Refuse(http.StatusBadRequest, "InvalidParameterValue",
				"Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if !wire.ValidTag(key, value) {
			return nil, nil, ErrConstraint("tags", key)
		}
		keys = append(keys, key)
		tags[key] = value
	}
	if len(keys) > maxTags {
		return nil, nil, ErrValidation("1 validation error detected: Value at 'tags' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxTags)
	}
	return keys, tags, nil
}

// ErrValidation returns the error for an invalid parameter.
func ErrValidation(format string, args ...any) error {
	return wire.Refuse(http.StatusBadRequest, "ValidationError", format, args...)
}

// ErrConstraint returns the error for a parameter whose value violates a pattern or length.
func ErrConstraint(member, value string) error {
	return ErrValidation("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern and length", value, member)
}

// maxTags is the maximum number of tags in an STS or IAM call.
const maxTags = 50
