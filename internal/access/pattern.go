package access

import (
	"strings"

	"syncd/internal/arn"
)

// IsPattern reports whether text contains wildcards or policy variables.
func IsPattern(text string) bool {
	return strings.ContainsAny(text, "*?") || strings.Contains(text, "${")
}

// PointOf returns the ARN of the access point that text names, which is the ARN of an access point
// or of objects in it. It returns "" for any other text, and for a pattern that can match several
// access points.
func PointOf(text string) string {
	a, _ := arn.Split(text)
	name, isPoint := strings.CutPrefix(a.Resource, "accesspoint/")
	name, _, _ = strings.Cut(name, "/")
	if a.Service != "s3" || !isPoint || name == "" || IsPattern(name) || IsPattern(a.Region) || IsPattern(a.Account) {
		return ""
	}
	return arn.Point(a.Partition, a.Region, a.Account, name)
}
