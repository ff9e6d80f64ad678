package access

import (
	"regexp"
	"slices"
	"strings"

	"syncd/internal/awsname"
)

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

// fault is what is wrong with a name, and what to do; the zero value for nothing.
type fault struct{ message, fix string }

// resourceFault says why a Resource matches nothing.
func resourceFault(text string) fault {
	if text == "*" || strings.HasPrefix(text, "arn:") && strings.HasSuffix(text, ":*") { // in fewer parts too * stands for the rest
		return fault{}
	}
	if placeholder := placeholderIn(text); placeholder != "" {
		return placeholderFault(placeholder)
	}
	a := parseARN(text)
	switch {
	case strings.HasPrefix(text, "s3://"):
		name := strings.TrimPrefix(text, "s3://")
		return fault{"the resource is an S3 URI and not an ARN", "write arn:aws:s3:::" + name}
	case !strings.HasPrefix(text, "arn:"):
		return fault{"the resource is neither * nor an ARN", "write arn:aws:s3:::NAME for a bucket, arn:aws:s3:::NAME/* for its objects"}
	case !a.whole:
		return fault{"the ARN has too few parts: a colon is missing", "write arn:partition:service:region:account:resource; of a bucket arn:aws:s3:::NAME"}
	}
	if f := a.partitionFault(); f.message != "" {
		return f
	}
	switch a.service {
	case "s3":
		return a.bucketFault()
	case "kms", "sqs":
		return a.regionalFault()
	case "iam", "sts":
		return a.identityFault()
	}
	return fault{}
}

func (a arn) partitionFault() fault {
	known := []string{"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}
	switch {
	case wild(a.partition):
	case !slices.Contains(known, a.partition):
		return fault{"there is no partition " + a.partition, "write one of " + strings.Join(known, ", ")}
	case a.region != "" && !wild(a.region) && awsname.Partition(a.region) != a.partition:
		return fault{"the region " + a.region + " is not in the partition " + a.partition, "write arn:" + awsname.Partition(a.region) + ":..."}
	}
	return fault{}
}

// accessPoint is true of the S3 ARNs that have a region and an account.
func (a arn) accessPoint() bool {
	for _, kind := range []string{"accesspoint", "job/", "storage-lens", "access-grants"} {
		if strings.HasPrefix(a.resource, kind) {
			return true
		}
	}
	return false
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

func (a arn) bucketFault() fault {
	name, key, hasKey := strings.Cut(a.resource, "/")
	right := "arn:" + a.partition + ":s3:::" + a.resource
	switch {
	case a.accessPoint():
		return a.pointFault()
	case strings.HasSuffix(name, "-s3alias"):
		return fault{"the alias of an access point has no place in policies: the ARN matches no request", "write the access point's, arn:" + a.partition + ":s3:REGION:ACCOUNT:accesspoint/NAME, with /object/* for its objects"}
	case a.region != "" && a.region != "*" || a.account != "" && a.account != "*":
		return fault{"a bucket's ARN has no region and no account", "write " + right}
	case name == "":
		return fault{"the ARN names no bucket", "write arn:" + a.partition + ":s3:::NAME"}
	case strings.Contains(name, ":"):
		return fault{"the bucket's name has a colon: one too many stands before it", "write arn:" + a.partition + ":s3:::" + strings.Trim(a.resource, ":")}
	case !wild(name) && !regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(name):
		return fault{name + " cannot be a bucket's name", "write it in 3 to 63 small letters, digits, dots and hyphens"}
	case hasKey && key == "":
		return fault{"the ARN ends in a slash: it is neither the bucket nor its objects", "write " + strings.TrimSuffix(right, "/") + " for the bucket, " + right + "* for its objects"}
	}
	return fault{}
}

// pointFault is about access points, whose objects stand after /object/.
func (a arn) pointFault() fault {
	name, isPoint := strings.CutPrefix(a.resource, "accesspoint/")
	name, rest, deeper := strings.Cut(name, "/")
	if isPoint && deeper && rest != "object" && !strings.HasPrefix(rest, "object/") && !wild(rest[:min(1, len(rest))]) {
		right := "arn:" + a.partition + ":s3:" + a.region + ":" + a.account + ":accesspoint/" + name
		return fault{"the objects of an access point stand after /object/: the ARN matches no request", "write " + right + "/object/" + rest}
	}
	return fault{}
}

// regionalFault is about keys and queues.
func (a arn) regionalFault() fault {
	switch {
	case a.region == "":
		return fault{"the ARN has no region", "write it: " + a.service + " resources are regional"}
	case !isAccount(a.account) && !wild(a.account):
		return fault{"the account in the ARN is not of 12 digits", "write the account that owns it"}
	case a.service == "kms" && !wild(a.resource[:min(1, len(a.resource))]) &&
		!strings.HasPrefix(a.resource, "key/") && !strings.HasPrefix(a.resource, "alias/"):
		return fault{"the ARN names neither a key nor an alias", "write arn:" + a.partition + ":kms:" + a.region + ":" + a.account + ":key/ID"}
	}
	return fault{}
}

// identityFault is about roles and users.
func (a arn) identityFault() fault {
	switch {
	case a.region != "" && a.region != "*":
		return fault{"IAM has no regions", "write arn:" + a.partition + ":" + a.service + "::" + a.account + ":" + a.resource}
	case !isAccount(a.account) && !wild(a.account) && a.account != "aws":
		return fault{"the account in the ARN is not of 12 digits", "write the account that owns it"}
	case a.resource == "":
		return fault{"the ARN names nothing in the account", "write role/NAME, or root for the account"}
	}
	return fault{}
}

// principalFault says why a principal cannot be one.
func principalFault(p principal) fault {
	id := p.id.text
	if placeholder := placeholderIn(id); placeholder != "" {
		return placeholderFault(placeholder)
	}
	switch p.kind {
	case "AWS":
		return awsFault(id)
	case "Service":
		if strings.ContainsAny(id, "*?") || !strings.Contains(id, ".") {
			return fault{"the principal is not the name of a service", "write it in full, like logging.s3.amazonaws.com"}
		}
	case "Federated":
		if strings.ContainsAny(id, "*?") {
			return fault{"a federated principal has no wildcards", "write the ARN of the provider"}
		}
	}
	return fault{}
}

func awsFault(id string) fault {
	a := parseARN(id)
	unique := regexp.MustCompile(`^A[A-Z]{3}[A-Z0-9]{12,}$`)
	switch {
	case id == "*" || isAccount(id) || unique.MatchString(id):
		return fault{}
	case strings.ContainsAny(id, "*?") || strings.Contains(id, "${"):
		return fault{
			"a principal has no wildcards or variables within it: this one matches nobody",
			"name the account as principal, and the pattern in {\"ArnLike\": {\"aws:PrincipalArn\": \"" + id + "\"}}",
		}
	case strings.Trim(id, "0123456789") == "":
		return fault{"an account has 12 digits, with the zeros in front", "write all of them"}
	case !a.whole:
		return fault{"the principal is neither an account nor an ARN", "write arn:aws:iam::111111111111:role/NAME"}
	case a.service != "iam" && a.service != "sts":
		return fault{"a resource of " + a.service + " cannot be a principal", "name the role or the user that makes the requests"}
	}
	for _, f := range []fault{a.partitionFault(), a.identityFault(), a.actorFault()} {
		if f.message != "" {
			return f
		}
	}
	return fault{}
}

// actorFault knows what of IAM can make requests.
func (a arn) actorFault() fault {
	kind, name, _ := strings.Cut(a.resource, "/")
	switch {
	case a.service == "iam" && a.resource == "root":
	case a.service == "iam" && (kind == "role" || kind == "user") && name != "":
	case a.service == "sts" && (kind == "assumed-role" || kind == "federated-user") && name != "":
	case kind == "group":
		return fault{"a group cannot be a principal", "name its users, or a role that they assume"}
	case a.service == "sts" && kind == "role", a.service == "iam" && kind == "assumed-role":
		return fault{
			"roles are of iam, their sessions of sts",
			"write arn:aws:iam::" + a.account + ":role/NAME, or arn:aws:sts::" + a.account + ":assumed-role/NAME/SESSION",
		}
	default:
		return fault{"the ARN is not that of a user, a role, a session or an account", "write arn:aws:iam::" + a.account + ":role/NAME"}
	}
	return fault{}
}
