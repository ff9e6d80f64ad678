package access

import (
	"strings"

	"syncd/internal/arn"
)

// IsPattern reports whether a text has wildcards or variables.
func IsPattern(text string) bool {
	return strings.ContainsAny(text, "*?") || strings.Contains(text, "${")
}

// PointOf is the ARN of the access point that an ARN names, or in which it names objects; "" for
// none, or a pattern of several.
func PointOf(text string) string {
	a, _ := arn.Split(text)
	name, isPoint := strings.CutPrefix(a.Resource, "accesspoint/")
	name, _, _ = strings.Cut(name, "/")
	if a.Service != "s3" || !isPoint || name == "" || IsPattern(name) || IsPattern(a.Region) || IsPattern(a.Account) {
		return ""
	}
	return arn.Point(a.Partition, a.Region, a.Account, name)
}
