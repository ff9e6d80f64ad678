package awsfake

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// queryAnswer is the answer of a service that speaks the query protocol. An empty result has its element too: the AWS CLI looks for it
// where the service's model has one.
func queryAnswer(operation, id, namespace string, result []byte) *response {
	x := newXML()
	x.openNS(operation+"Response", namespace)
	x.open(operation + "Result")
	x.raw(result)
	x.close(operation + "Result")
	x.open("ResponseMetadata")
	x.element("RequestId", strings.ToLower(id))
	x.close("ResponseMetadata")
	x.close(operation + "Response")
	res := &response{status: http.StatusOK, header: http.Header{"Content-Type": {"text/xml"}}}
	res.setBody(x.bytes())
	return res
}

// members reads a list of the query protocol.
func members(f url.Values, name string) []string {
	var list []string
	for i := 1; f.Has(fmt.Sprintf("%s.member.%d", name, i)); i++ {
		list = append(list, f.Get(fmt.Sprintf("%s.member.%d", name, i)))
	}
	return list
}

// formTags reads the tags of a call of STS or IAM, and their keys in the order in which they came.
func formTags(f url.Values) (keys []string, tags map[string]string, err error) {
	tags = map[string]string{}
	for i := 1; ; i++ {
		member := fmt.Sprintf("Tags.member.%d.", i)
		key, value := f.Get(member+"Key"), f.Get(member+"Value")
		if !f.Has(member + "Key") {
			break
		}
		if containsFold(keys, key) {
			return nil, nil, refuse(http.StatusBadRequest, "InvalidParameterValue",
				"Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if !validTag(key, value) {
			return nil, nil, errConstraint("tags", key)
		}
		keys = append(keys, key)
		tags[key] = value
	}
	if len(keys) > maxFormTags {
		return nil, nil, errValidation("1 validation error detected: Value at 'tags' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxFormTags)
	}
	return keys, tags, nil
}

func errValidation(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "ValidationError", format, args...)
}

func errConstraint(member, value string) error {
	return errValidation("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern and length", value, member)
}

func inAlphabet(s, more string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(more, r)
	})
}

// maxFormTags is how many tags a call of STS or IAM may have.
const maxFormTags = 50
