package access

import (
	"cmp"
	"maps"
	"strings"

	"syncd/config"
	"syncd/internal/awsname"
	"syncd/internal/transfer"
)

// place is where a row of the table applies in one mapping.
type place struct {
	on              Resource
	bucket, prefix  string // as requests name them
	point           string // the ARN of the access point that bucket stands for, "" for none
	holder          string // the bucket that holds the objects, "" when it is behind an access point and not known
	region, account string
	owner           string // of the resource: the bucket's account, or the key's
	pattern, sample string // ARN as a policy writes it, and one that it covers
	key             string // ARN of the KMS key of writes, "" for a default one
	bucketKey       bool
	acl             string   // of writes
	others          []string // more regions whose S3 may use the key
}

// place finds the resource of a row.
func (r reading) place(on Resource) place {
	p := place{on: on}
	switch on {
	case SourceBucket, SourceObjects, SourceKey, UnderlyingBucket, UnderlyingObjects:
		s := r.m.Source
		p.bucket, p.prefix, p.region, p.account, p.holder = s.Bucket, s.Prefix, s.Region, s.Account, s.Holder()
		if point, ok := s.AccessPoint(); ok {
			p.point = point.ARN
		}
		if !r.relay && r.m.Destination.Region != s.Region {
			// S3 pulls into the region of the destination; AWS does not say whose name KMS is told.
			p.others = []string{r.m.Destination.Region}
		}
	case DestinationBucket, DestinationObjects, DestinationKey:
		d := r.m.Destination
		p.bucket, p.prefix, p.region, p.account, p.key, p.bucketKey = d.Bucket, d.Prefix, d.Region, d.Account, d.KMSKey, d.BucketKey
		if r.acl {
			p.acl = string(config.ACLBucketOwner)
		}
	case StateBucket, StateObjects, StateKey:
		p.bucket, p.prefix = stateLocation(r.c)
		p.region, p.account, p.key, p.bucketKey = r.c.StateRegion(), r.c.StateAccount(), r.c.Checkpoint.KMSKey, true
		if p.account == "" {
			p.account = r.accountOf(r.c.Checkpoint.Role)
		}
	case AssumedRole:
	}
	if p.point == "" {
		p.holder = p.bucket
	}
	p.locate()
	return p
}

func stateLocation(c *config.Config) (bucket, prefix string) {
	location, err := config.ParseLocation(c.State)
	if err != nil {
		return "", ""
	}
	return location.Bucket, location.Prefix
}

// locate fills in the ARNs and who owns what they name.
func (p *place) locate() {
	p.owner = p.account
	switch {
	case p.isPoint() && p.on.isBucket():
		p.pattern, p.sample, p.owner = p.point, p.point, accountOf(p.point)
	case p.isPoint():
		p.pattern, p.sample, p.owner = p.point+"/object/"+literal(p.prefix)+"*", p.point+"/object/"+p.prefix+"key", accountOf(p.point)
	case p.on.isBucket():
		p.pattern = p.bucketARN()
		p.sample = p.pattern
	case p.on.isKey():
		p.pattern, p.sample = p.key, p.key
		if p.key == "" {
			// Which key the owner chose is the owner's to know: the owner's key policy says which it is.
			keys := "arn:" + awsname.Partition(p.region) + ":kms:" + p.region + ":" + p.account + ":key/"
			p.pattern, p.sample = keys+"*", keys+"00000000-0000-0000-0000-000000000000"
		}
		p.owner = accountOf(p.pattern)
	default:
		p.pattern, p.sample = p.objects(), p.bucketARN()+"/"+p.prefix+"key"
	}
}

// isPoint reports whether the resource is an access point, or what is reached through one.
func (p *place) isPoint() bool {
	return p.point != "" && (p.on == SourceBucket || p.on == SourceObjects)
}

func (p *place) bucketARN() string {
	return transfer.BucketARN(p.region, cmp.Or(p.holder, bucketPlaceholder))
}

// bucketPlaceholder stands in documents for the bucket behind an access point whose name is not known.
const bucketPlaceholder = "REPLACE_WITH_BUCKET"

func (p *place) objects() string { return p.bucketARN() + "/" + literal(p.prefix) + "*" }

// conditions narrow a grant to what the request of the mapping carries.
func (p *place) conditions(action string) []condition {
	switch {
	case strings.HasPrefix(action, "kms:"):
		// Under an S3 Bucket Key the encryption context is the bucket's ARN, otherwise the object's; a bucket may hold both.
		var via []string
		for _, region := range append([]string{p.region}, p.others...) {
			via = append(via, viaService(region))
		}
		conditions := []condition{{"StringEquals", "kms:ViaService", via}}
		if p.holder == "" {
			return conditions
		}
		contexts := []string{p.bucketARN(), p.objects()}
		if p.on == StateKey {
			contexts = contexts[:1] // records are always written with a bucket key
		}
		return append(conditions, condition{"StringLike", contextKey, contexts})
	case action == "s3:ListBucket" && p.prefix != "":
		operator := "StringLike"
		if p.on == StateBucket {
			// GetObject tells that a record is absent only to those who may list the bucket, and asks that without a prefix.
			operator += "IfExists"
		}
		return p.pointed(condition{operator, "s3:prefix", []string{literal(p.prefix) + "*"}})
	default:
		return p.pointed()
	}
}

// pointed adds to the conditions of a bucket behind an access point that requests come through it.
func (p *place) pointed(conditions ...condition) []condition {
	if p.on == UnderlyingBucket || p.on == UnderlyingObjects {
		return append(conditions, condition{"StringEquals", "s3:DataAccessPointArn", []string{p.point}})
	}
	return conditions
}

// context is what a request for the action carries.
func (p *place) context(action string) map[string][]string {
	facts := p.ownContext(action)
	if p.point == "" || !strings.HasPrefix(action, "s3:") {
		return facts
	}
	through := map[string][]string{"s3:DataAccessPointArn": {p.point}, "s3:DataAccessPointAccount": {accountOf(p.point)}}
	maps.Copy(through, facts)
	return through
}

func (p *place) ownContext(action string) map[string][]string {
	switch {
	case strings.HasPrefix(action, "kms:") && p.holder == "":
		return map[string][]string{"kms:ViaService": {viaService(p.region)}}
	case strings.HasPrefix(action, "kms:"):
		arn := p.bucketARN()
		if !p.bucketKey {
			arn += "/" + p.prefix + "key"
		}
		return map[string][]string{
			"kms:ViaService": {viaService(p.region)}, contextKey: {arn}, "kms:EncryptionContextKeys": {"aws:s3:arn"},
		}
	case action == "s3:ListBucket" && p.prefix != "":
		return map[string][]string{"s3:prefix": {p.prefix}}
	case action == "s3:PutObject" && p.key != "":
		context := map[string][]string{
			"s3:x-amz-server-side-encryption": {"aws:kms"}, "s3:x-amz-server-side-encryption-aws-kms-key-id": {p.key},
		}
		if p.acl != "" {
			context["s3:x-amz-acl"] = []string{p.acl}
		}
		return context
	case action == "s3:PutObjectAcl":
		return map[string][]string{"s3:x-amz-acl": {p.acl}}
	default:
		return nil
	}
}

// sid names the statement that grants the action.
func (p *place) sid(action string) string {
	side, _, _ := strings.Cut(string(p.on), " ")
	side = strings.ToUpper(side[:1]) + side[1:]
	switch {
	case action == "s3:ListBucket", action == "s3:ListBucketMultipartUploads":
		return "List" + side
	case strings.HasPrefix(action, "kms:"):
		return "UseKeyOf" + side
	case p.on == SourceObjects, p.on == UnderlyingObjects:
		return "Read" + side
	default:
		return "Write" + side
	}
}

// accountOf returns the account of an ARN, "" when it has none.
func accountOf(arn string) string {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 {
		return ""
	}
	return fields[4]
}

// viaService is how KMS is told of S3 in a region (AWS KMS Developer Guide, kms:ViaService).
func viaService(region string) string {
	domains := map[string]string{
		"aws-cn": "amazonaws.com.cn", "aws-iso": "c2s.ic.gov", "aws-iso-b": "sc2s.sgov.gov", "aws-iso-e": "cloud.adc-e.uk",
		"aws-iso-f": "csp.hci.ic.gov", "aws-eusc": "amazonaws.eu",
	}
	domain, ok := domains[awsname.Partition(region)]
	if !ok {
		domain = "amazonaws.com"
	}
	return "s3." + region + "." + domain
}

// literal writes text so that a policy takes its wildcards and variables for plain text (IAM User Guide, "IAM policy
// elements: Variables and tags").
func literal(text string) string {
	return strings.NewReplacer("${", "${$}{", "*", "${*}", "?", "${?}").Replace(text)
}
