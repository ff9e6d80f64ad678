package access

import "strings"

// arn is an ARN taken apart.
type arn struct {
	partition, service, region, account, resource string
	whole                                         bool // has all of its parts
}

// parseARN takes an ARN apart; of what is none the zero value.
func parseARN(text string) arn {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return arn{}
	}
	return arn{parts[1], parts[2], parts[3], parts[4], parts[5], true}
}

func wild(text string) bool { return strings.ContainsAny(text, "*?") || strings.Contains(text, "${") }

func isAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}

// pointOf is the ARN of the access point that an ARN names, or in which it names objects; "" for none, or a pattern of several.
func pointOf(text string) string {
	a := parseARN(text)
	name, isPoint := strings.CutPrefix(a.resource, "accesspoint/")
	name, _, _ = strings.Cut(name, "/")
	if a.service != "s3" || !isPoint || name == "" || wild(name) || wild(a.region) || wild(a.account) {
		return ""
	}
	return "arn:" + a.partition + ":s3:" + a.region + ":" + a.account + ":accesspoint/" + name
}

func isARN(text string) bool { return strings.HasPrefix(text, "arn:") }

func bucketOf(arn string) string {
	name, _, _ := strings.Cut(parseARN(arn).resource, "/")
	return name
}

// nameOf is the last part of an ARN.
func nameOf(arn string) string { return arn[strings.LastIndexAny(arn, "/:")+1:] }

// accountOf returns the account of an ARN, "" when it has none.
func accountOf(arn string) string {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 {
		return ""
	}
	return fields[4]
}
