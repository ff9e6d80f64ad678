package access

import "strings"

// ARN is an ARN taken apart.
type ARN struct {
	Partition, Service, Region, Account, Resource string
	Whole                                         bool // has all of its parts
}

// ParseARN takes an ARN apart; of what is none the zero value.
func ParseARN(text string) ARN {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ARN{}
	}
	return ARN{parts[1], parts[2], parts[3], parts[4], parts[5], true}
}

// IsPattern reports whether a text has wildcards or variables.
func IsPattern(text string) bool {
	return strings.ContainsAny(text, "*?") || strings.Contains(text, "${")
}

// IsAccount reports whether a text is the id of an account.
func IsAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}

// PointOf is the ARN of the access point that an ARN names, or in which it names objects; "" for none, or a pattern of several.
func PointOf(text string) string {
	a := ParseARN(text)
	name, isPoint := strings.CutPrefix(a.Resource, "accesspoint/")
	name, _, _ = strings.Cut(name, "/")
	if a.Service != "s3" || !isPoint || name == "" || IsPattern(name) || IsPattern(a.Region) || IsPattern(a.Account) {
		return ""
	}
	return "arn:" + a.Partition + ":s3:" + a.Region + ":" + a.Account + ":accesspoint/" + name
}

// IsARN reports whether a text begins as ARNs do.
func IsARN(text string) bool { return strings.HasPrefix(text, "arn:") }

// BucketOf is the bucket that an ARN of S3 names, or in which it names objects.
func BucketOf(arn string) string {
	name, _, _ := strings.Cut(ParseARN(arn).Resource, "/")
	return name
}

// NameOf is the last part of an ARN.
func NameOf(arn string) string { return arn[strings.LastIndexAny(arn, "/:")+1:] }

// AccountOf returns the account of an ARN, "" when it has none.
func AccountOf(arn string) string {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 {
		return ""
	}
	return fields[4]
}
