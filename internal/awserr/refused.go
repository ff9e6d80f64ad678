package awserr

import "regexp"

var (
	refusedAction   = regexp.MustCompile(`not authorized to perform: (\w+:\w+)`)
	refusedResource = regexp.MustCompile(`on resource: "?(arn:[^\s"]+)"?`)
)

// Refused returns the IAM action that an access-denied message names, as in s3:GetObject, and the
// ARN that it was refused on. Each is "" if the message does not contain it. AWS includes the
// action and the ARN if the request and the resource belong to the same account or organization
// ("Troubleshoot access denied error messages", IAM User Guide).
func Refused(err error) (action, resource string) {
	if err == nil {
		return "", ""
	}
	text := err.Error()
	if m := refusedAction.FindStringSubmatch(text); m != nil {
		action = m[1]
	}
	if m := refusedResource.FindStringSubmatch(text); m != nil {
		resource = m[1]
	}
	return action, resource
}
