package access

import (
	"cmp"
	"maps"
	"strings"

	"syncd/config"
	"syncd/internal/arn"
	"syncd/internal/awsname"
	"syncd/internal/transfer"
)

// Place is where a row of the table applies in one mapping.
type Place struct {
	On              Resource
	Bucket, Prefix  string // as requests name them
	point           string // the ARN of the access point that bucket stands for, "" for none
	holder          string // the bucket that holds the objects, "" when it is behind an access point and not known
	Region, Account string
	Owner           string // of the resource: the bucket's account, or the key's
	Pattern, sample string // ARN as a policy writes it, and one that it covers
	Key             string // ARN of the KMS key of writes, "" for a default one
	bucketKey       bool
	acl             string   // of writes
	others          []string // more regions whose S3 may use the key
}

// Place finds the resource of a row.
func (v View) Place(on Resource) Place {
	p := Place{On: on}
	switch on {
	case SourceBucket, SourceObjects, SourceKey, UnderlyingBucket, UnderlyingObjects:
		s := v.Mapping.Source
		p.Bucket, p.Prefix, p.Region, p.Account, p.holder = s.Bucket, s.Prefix, s.Region, s.Account, s.Holder()
		if point, ok := s.AccessPoint(); ok {
			p.point = point.ARN
		}
		if !v.Relay && v.Mapping.Destination.Region != s.Region {
			// S3 pulls into the region of the destination; AWS does not say whose name KMS is told.
			p.others = []string{v.Mapping.Destination.Region}
		}
	case DestinationBucket, DestinationObjects, DestinationKey:
		d := v.Mapping.Destination
		p.Bucket, p.Prefix, p.Region, p.Account, p.Key, p.bucketKey = d.Bucket, d.Prefix, d.Region, d.Account, d.KMSKey, d.BucketKey
		if v.ACL {
			p.acl = string(config.ACLBucketOwner)
		}
	case StateBucket, StateObjects, StateKey:
		p.Bucket, p.Prefix = stateLocation(v.Config)
		p.Region, p.Account, p.Key, p.bucketKey = v.Config.StateRegion(), v.Config.StateAccount(), v.Config.Checkpoint.KMSKey, true
		if p.Account == "" {
			p.Account = v.accountOf(v.Config.Checkpoint.Role)
		}
	case AssumedRole:
	}
	if p.point == "" {
		p.holder = p.Bucket
	}
	p.locate()
	return p
}

// locate fills in the ARNs and who owns what they name.
func (p *Place) locate() {
	p.Owner = p.Account
	switch {
	case p.isPoint() && p.On.isBucket():
		p.Pattern, p.sample, p.Owner = p.point, p.point, arn.Account(p.point)
	case p.isPoint():
		p.Pattern, p.sample, p.Owner = arn.Object(p.point, Literal(p.Prefix)+"*"), arn.Object(p.point, p.Prefix+"key"), arn.Account(p.point)
	case p.On.isBucket():
		p.Pattern = p.BucketARN()
		p.sample = p.Pattern
	case p.On.IsKey():
		p.Pattern, p.sample = p.Key, p.Key
		if p.Key == "" {
			// Which key the owner chose is the owner's to know: the owner's key policy says which it is.
			key := func(id string) string { return arn.Key(awsname.Partition(p.Region), p.Region, p.Account, id) }
			p.Pattern, p.sample = key("*"), key("00000000-0000-0000-0000-000000000000")
		}
		p.Owner = arn.Account(p.Pattern)
	default:
		p.Pattern, p.sample = p.objects(), arn.Object(p.BucketARN(), p.Prefix+"key")
	}
}

// isPoint reports whether the resource is an access point, or what is reached through one.
func (p *Place) isPoint() bool {
	return p.point != "" && (p.On == SourceBucket || p.On == SourceObjects)
}

// BucketARN is the ARN of the bucket that holds the objects, or one with [BucketPlaceholder] where that is not known.
func (p *Place) BucketARN() string {
	return transfer.BucketARN(p.Region, cmp.Or(p.holder, BucketPlaceholder))
}

// BucketPlaceholder stands in documents for the bucket behind an access point whose name is not known.
const BucketPlaceholder = "REPLACE_WITH_BUCKET"

func (p *Place) objects() string { return arn.Object(p.BucketARN(), Literal(p.Prefix)+"*") }

// Conditions narrow a grant to what the request of the mapping carries.
func (p *Place) Conditions(action string) []Condition {
	switch {
	case strings.HasPrefix(action, "kms:"):
		// Under an S3 Bucket Key the encryption context is the bucket's ARN, otherwise the object's; a bucket may hold both.
		var via []string
		for _, region := range append([]string{p.Region}, p.others...) {
			via = append(via, viaService(region))
		}
		conditions := []Condition{When("StringEquals", "kms:ViaService", via...)}
		if p.holder == "" {
			return conditions
		}
		contexts := []string{p.BucketARN(), p.objects()}
		if p.On == StateKey {
			contexts = contexts[:1] // records are always written with a bucket key
		}
		return append(conditions, When("StringLike", EncryptionContext, contexts...))
	case action == "s3:ListBucket" && p.Prefix != "":
		operator := "StringLike"
		if p.On == StateBucket {
			// GetObject tells that a record is absent only to those who may list the bucket, and asks that without a prefix.
			operator += "IfExists"
		}
		return p.pointed(When(operator, "s3:prefix", Literal(p.Prefix)+"*"))
	default:
		return p.pointed()
	}
}

// pointed adds to the conditions of a bucket behind an access point that requests come through it.
func (p *Place) pointed(conditions ...Condition) []Condition {
	if p.On == UnderlyingBucket || p.On == UnderlyingObjects {
		return append(conditions, When("StringEquals", "s3:DataAccessPointArn", p.point))
	}
	return conditions
}

// context is what a request for the action carries.
func (p *Place) context(action string) map[string][]string {
	facts := p.ownContext(action)
	if p.point == "" || !strings.HasPrefix(action, "s3:") {
		return facts
	}
	through := map[string][]string{"s3:DataAccessPointArn": {p.point}, "s3:DataAccessPointAccount": {arn.Account(p.point)}}
	maps.Copy(through, facts)
	return through
}

func (p *Place) ownContext(action string) map[string][]string {
	switch {
	case strings.HasPrefix(action, "kms:") && p.holder == "":
		return map[string][]string{"kms:ViaService": {viaService(p.Region)}}
	case strings.HasPrefix(action, "kms:"):
		encrypted := p.BucketARN()
		if !p.bucketKey {
			encrypted = arn.Object(encrypted, p.Prefix+"key")
		}
		return map[string][]string{
			"kms:ViaService": {viaService(p.Region)}, EncryptionContext: {encrypted}, "kms:EncryptionContextKeys": {"aws:s3:arn"},
		}
	case action == "s3:ListBucket" && p.Prefix != "":
		return map[string][]string{"s3:prefix": {p.Prefix}}
	case action == "s3:PutObject" && p.Key != "":
		context := map[string][]string{
			EncryptionHeader: {"aws:kms"}, EncryptionKeyHeader: {p.Key},
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
func (p *Place) sid(action string) string {
	side, _, _ := strings.Cut(string(p.On), " ")
	side = strings.ToUpper(side[:1]) + side[1:]
	switch {
	case action == "s3:ListBucket", action == "s3:ListBucketMultipartUploads":
		return "List" + side
	case strings.HasPrefix(action, "kms:"):
		return "UseKeyOf" + side
	case p.On == SourceObjects, p.On == UnderlyingObjects:
		return "Read" + side
	default:
		return "Write" + side
	}
}

// viaService is how KMS is told of S3 in a region (AWS KMS Developer Guide, kms:ViaService).
func viaService(region string) string { return "s3." + region + "." + awsname.Domain(region) }

// Literal writes text so that a policy takes its wildcards and variables for plain text (IAM User Guide, "IAM policy
// elements: Variables and tags").
func Literal(text string) string {
	return strings.NewReplacer("${", "${$}{", "*", "${*}", "?", "${?}").Replace(text)
}

// Condition keys of the encryption that a request names.
const (
	EncryptionHeader    = "s3:x-amz-server-side-encryption"
	EncryptionKeyHeader = "s3:x-amz-server-side-encryption-aws-kms-key-id"
)

// EncryptionContext is the condition key of the encryption context that S3 gives every data key.
const EncryptionContext = "kms:EncryptionContext:aws:s3:arn"
