package element

import (
	"regexp"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/document"
	"syncd/internal/arn"
	"syncd/internal/awsname"
)

// fault describes what is wrong with a name and how to fix it. The zero value means no fault.
type fault struct{ message, fix string }

// resourceFault returns the fault that keeps a Resource from matching anything.
func resourceFault(text string) fault {
	if text == "*" || arn.Is(text) && strings.HasSuffix(text, ":*") { // an ARN with fewer parts is valid if it ends with *
		return fault{}
	}
	if placeholder := placeholderIn(text); placeholder != "" {
		return placeholderFault(placeholder)
	}
	a, ok := arn.Split(text)
	switch {
	case strings.HasPrefix(text, "s3://"):
		name := strings.TrimPrefix(text, "s3://")
		return fault{"the resource is an S3 URI, not an ARN", "write arn:aws:s3:::" + name}
	case !arn.Is(text):
		return fault{"the resource is neither * nor an ARN", "write arn:aws:s3:::NAME for a bucket, arn:aws:s3:::NAME/* for its objects"}
	case !ok:
		return fault{"the ARN has too few parts: a colon is missing", "write arn:partition:service:region:account:resource; for a bucket write arn:aws:s3:::NAME"}
	}
	if f := partitionFault(a); f.message != "" {
		return f
	}
	switch a.Service {
	case "s3":
		return bucketFault(a)
	case "kms", "sqs":
		return regionalFault(a)
	case "iam", "sts":
		return identityFault(a)
	}
	return fault{}
}

func partitionFault(a arn.ARN) fault {
	known := awsname.Partitions()
	switch {
	case access.IsPattern(a.Partition):
	case !slices.Contains(known, a.Partition):
		return fault{"there is no partition " + a.Partition, "write one of " + strings.Join(known, ", ")}
	case a.Region != "" && !access.IsPattern(a.Region) && awsname.Partition(a.Region) != a.Partition:
		return fault{"the region " + a.Region + " is not in the partition " + a.Partition, "write arn:" + awsname.Partition(a.Region) + ":..."}
	}
	return fault{}
}

// hasRegion reports whether the S3 ARN is of a kind that contains a region and an account, such as
// an access point.
func hasRegion(a arn.ARN) bool {
	for _, kind := range []string{"accesspoint", "job/", "storage-lens", "access-grants"} {
		if strings.HasPrefix(a.Resource, kind) {
			return true
		}
	}
	return false
}

func bucketFault(a arn.ARN) fault {
	name, key, hasKey := strings.Cut(a.Resource, "/")
	right := arn.Bucket(a.Partition, a.Resource)
	switch {
	case hasRegion(a):
		return pointFault(a)
	case awsname.IsAlias(name):
		return fault{"an access point alias cannot be used in a policy: the ARN matches no request", "write the ARN of the access point, " + arn.Point(a.Partition, "REGION", "ACCOUNT", "NAME") + ", with /object/* for its objects"}
	case a.Region != "" && a.Region != "*" || a.Account != "" && a.Account != "*":
		return fault{"a bucket ARN has no region and no account", "write " + right}
	case name == "":
		return fault{"the ARN names no bucket", "write " + arn.Bucket(a.Partition, "NAME")}
	case strings.Contains(name, ":"):
		return fault{"the bucket name contains a colon: there is an extra colon before it", "write " + arn.Bucket(a.Partition, strings.Trim(a.Resource, ":"))}
	case !access.IsPattern(name) && !regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(name):
		return fault{name + " is not a valid bucket name", "use 3 to 63 lower-case letters, digits, dots and hyphens"}
	case hasKey && key == "":
		return fault{"the ARN ends with a slash: it matches neither the bucket nor its objects", "write " + strings.TrimSuffix(right, "/") + " for the bucket, " + right + "* for its objects"}
	}
	return fault{}
}

// pointFault checks the ARN of an access point or of its objects, whose keys come after /object/.
func pointFault(a arn.ARN) fault {
	name, isPoint := strings.CutPrefix(a.Resource, "accesspoint/")
	name, rest, deeper := strings.Cut(name, "/")
	if isPoint && deeper && rest != "object" && !strings.HasPrefix(rest, "object/") && !access.IsPattern(rest[:min(1, len(rest))]) {
		right := arn.Point(a.Partition, a.Region, a.Account, name)
		return fault{"objects of an access point follow /object/: this ARN matches no request", "write " + arn.Object(right, rest)}
	}
	return fault{}
}

// regionalFault checks ARNs of keys and queues.
func regionalFault(a arn.ARN) fault {
	switch {
	case a.Region == "":
		return fault{"the ARN has no region", "add the region: " + a.Service + " resources are regional"}
	case !awsname.IsAccount(a.Account) && !access.IsPattern(a.Account):
		return fault{"the account in the ARN does not have 12 digits", "write the account that owns the resource"}
	case a.Service == "kms" && !access.IsPattern(a.Resource[:min(1, len(a.Resource))]) &&
		!strings.HasPrefix(a.Resource, "key/") && !strings.HasPrefix(a.Resource, "alias/"):
		return fault{"the ARN does not name a key or an alias", "write " + arn.Key(a.Partition, a.Region, a.Account, "ID")}
	}
	return fault{}
}

// identityFault checks ARNs of roles and users.
func identityFault(a arn.ARN) fault {
	switch {
	case a.Region != "" && a.Region != "*":
		a.Region = ""
		return fault{"IAM ARNs have no region", "write " + a.String()}
	case !awsname.IsAccount(a.Account) && !access.IsPattern(a.Account) && a.Account != "aws":
		return fault{"the account in the ARN does not have 12 digits", "write the account that owns the resource"}
	case a.Resource == "":
		return fault{"the ARN names no resource", "write role/NAME, or root for the account"}
	}
	return fault{}
}

// principalFault returns the fault that makes a principal invalid.
func principalFault(p document.Principal) fault {
	id := p.ID.Text
	if placeholder := placeholderIn(id); placeholder != "" {
		return placeholderFault(placeholder)
	}
	switch p.Kind {
	case "AWS":
		return awsFault(id)
	case "Service":
		if strings.ContainsAny(id, "*?") || !strings.Contains(id, ".") {
			return fault{"the principal is not a service name", "write the full name, such as logging.s3.amazonaws.com"}
		}
	case "Federated":
		if strings.ContainsAny(id, "*?") {
			return fault{"a federated principal cannot contain wildcards", "write the ARN of the provider"}
		}
	}
	return fault{}
}

func awsFault(id string) fault {
	a, ok := arn.Split(id)
	unique := regexp.MustCompile(`^A[A-Z]{3}[A-Z0-9]{12,}$`)
	switch {
	case id == "*" || awsname.IsAccount(id) || unique.MatchString(id):
		return fault{}
	case access.IsPattern(id):
		return fault{
			"a principal cannot contain wildcards or variables: this one matches no caller",
			"name the account as principal, and use the pattern in {\"ArnLike\": {\"aws:PrincipalArn\": \"" + id + "\"}}",
		}
	case strings.Trim(id, "0123456789") == "":
		return fault{"an account ID has 12 digits, including leading zeros", "write all digits"}
	case !ok:
		return fault{"the principal is neither an account ID nor an ARN", "write arn:aws:iam::111111111111:role/NAME"}
	case a.Service != "iam" && a.Service != "sts":
		return fault{"a resource of " + a.Service + " cannot be a principal", "name the role or user that makes the requests"}
	}
	for _, f := range []fault{partitionFault(a), identityFault(a), actorFault(a)} {
		if f.message != "" {
			return f
		}
	}
	return fault{}
}

// actorFault checks that the ARN names a principal that can make requests: a user, a role, a
// session or an account.
func actorFault(a arn.ARN) fault {
	kind, name, _ := strings.Cut(a.Resource, "/")
	role := arn.Role("aws", a.Account, "NAME")
	switch {
	case a.IsRoot():
	case a.Service == "iam" && (kind == "role" || kind == "user") && name != "":
	case a.Service == "sts" && (kind == "assumed-role" || kind == "federated-user") && name != "":
	case kind == "group":
		return fault{"a group cannot be a principal", "name its users, or a role that they assume"}
	case a.Service == "sts" && kind == "role", a.Service == "iam" && kind == "assumed-role":
		return fault{
			"the ARN of a role begins with arn:aws:iam, the ARN of a role session with arn:aws:sts",
			"write " + role + ", or " + arn.Session(role, "SESSION"),
		}
	default:
		return fault{"the ARN does not name a user, a role, a session or an account", "write " + role}
	}
	return fault{}
}
