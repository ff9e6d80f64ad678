// Package form is the query protocol, which STS, IAM and CloudFormation speak: a form, answered in
// XML.
//
// It promises what those services have in common: the envelope of an answer, lists and tags among
// the parameters, and the refusal of a parameter that breaks a constraint. The names of operations
// and parameters, and what is behind them, it leaves to the services.
//
// Words to know. Members are a list in a form, numbered from 1; a constraint is a pattern or a
// length that a parameter must keep.
package form

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"syncd/internal/awsfake/wire"
)

// Answer is the answer of a service that speaks the query protocol. An empty result has its element
// too: the AWS CLI looks for it where the service's model has one.
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

// Members reads a list of the query protocol.
func Members(f url.Values, name string) []string {
	var list []string
	for i := 1; f.Has(fmt.Sprintf("%s.member.%d", name, i)); i++ {
		list = append(list, f.Get(fmt.Sprintf("%s.member.%d", name, i)))
	}
	return list
}

// Tags reads the tags of a call of STS or IAM, and their keys in the order in which they came.
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

// ErrValidation is the refusal of a parameter.
func ErrValidation(format string, args ...any) error {
	return wire.Refuse(http.StatusBadRequest, "ValidationError", format, args...)
}

// ErrConstraint is the refusal of a parameter whose value breaks a pattern or a length.
func ErrConstraint(member, value string) error {
	return ErrValidation("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern and length", value, member)
}

// maxTags is how many tags a call of STS or IAM may have.
const maxTags = 50
