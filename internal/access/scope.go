package access

import (
	"cmp"
	"maps"
	"strings"

	"syncd/internal/arn"
	"syncd/internal/awsname"
	"syncd/internal/transfer"
)

// Scope is what a row of the table applies to in one mapping: a resource, where it is and who owns
// it.
type Scope struct {
	transfer.Place  // that the resource is of
	On              Resource
	Owner           string // of the resource: the bucket's account, or the key's
	Pattern, sample string // ARN as a policy writes it, and one that it covers
	Key             string // ARN of the KMS key of writes, "" for a default one
	bucketKey       bool
	acl             string   // of writes
	others          []string // more regions whose S3 may use the key
}

// Scope finds the resource of a row.
func (v View) Scope(on Resource) Scope {
	p := Scope{On: on}
	source, destination := v.Config.Places(v.Mapping)
	switch on {
	case SourceBucket, SourceObjects, SourceKey, UnderlyingBucket, UnderlyingObjects:
		p.Place = source
		if !v.Relay && destination.Region != source.Region {
			// S3 pulls into the region of the destination; AWS does not say whose name KMS is told.
			p.others = []string{destination.Region}
		}
	case DestinationBucket, DestinationObjects, DestinationKey:
		p.Place, p.Key, p.bucketKey = destination, v.Mapping.Destination.KMSKey, v.Mapping.Destination.BucketKey
		p.acl = v.ACL
	case StateBucket, StateObjects, StateKey:
		p.Place, _ = v.Config.StatePlace()
		p.Key, p.bucketKey = v.Config.Checkpoint.KMSKey, true
		p.Owner = v.accountOf(p.Role) // where the configuration does not say
	case AssumedRole:
	}
	p.Owner = cmp.Or(p.Account, p.Owner)
	p.locate()
	return p
}

// locate fills in the ARNs, and who owns what they name where that is not who owns the bucket.
func (p *Scope) locate() {
	switch {
	case p.isPoint() && p.On.isBucket():
		p.Pattern, p.sample, p.Owner = p.AccessPoint, p.AccessPoint, arn.Account(p.AccessPoint)
	case p.isPoint():
		p.Pattern, p.sample, p.Owner = arn.Object(p.AccessPoint, Literal(p.Prefix)+"*"), arn.Object(p.AccessPoint, p.Prefix+"key"), arn.Account(p.AccessPoint)
	case p.On.isBucket():
		p.Pattern = p.BucketARN()
		p.sample = p.Pattern
	case p.On.IsKey():
		p.Pattern, p.sample = p.Key, p.Key
		if p.Key == "" {
			// Which key the owner chose is the owner's to know: the owner's key policy says which
			// it is.
			key := func(id string) string { return arn.Key(awsname.Partition(p.Region), p.Region, p.Owner, id) }
			p.Pattern, p.sample = key("*"), key("00000000-0000-0000-0000-000000000000")
		}
		p.Owner = arn.Account(p.Pattern)
	default:
		p.Pattern, p.sample = p.objects(), arn.Object(p.BucketARN(), p.Prefix+"key")
	}
}

// isPoint reports whether the resource is an access point, or what is reached through one.
func (p *Scope) isPoint() bool {
	return p.AccessPoint != "" && (p.On == SourceBucket || p.On == SourceObjects)
}

// BucketARN is the ARN of the bucket that holds the objects, or one with [BucketPlaceholder] where
// that is not known.
func (p *Scope) BucketARN() string {
	return transfer.BucketARN(p.Region, cmp.Or(p.Holder(), BucketPlaceholder))
}

// BucketPlaceholder stands in documents for the bucket behind an access point whose name is not
// known.
const BucketPlaceholder = "REPLACE_WITH_BUCKET"

func (p *Scope) objects() string { return arn.Object(p.BucketARN(), Literal(p.Prefix)+"*") }

// Conditions narrow a grant to what the request of the mapping carries.
func (p *Scope) Conditions(action string) []Condition {
	switch {
	case strings.HasPrefix(action, "kms:"):
		// Under an S3 Bucket Key the encryption context is the bucket's ARN, otherwise the
		// object's; a bucket may hold both.
		var via []string
		for _, region := range append([]string{p.Region}, p.others...) {
			via = append(via, viaService(region))
		}
		conditions := []Condition{When("StringEquals", "kms:ViaService", via...)}
		if p.Holder() == "" {
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
			// GetObject tells that a record is absent only to those who may list the bucket, and
			// asks that without a prefix.
			operator += "IfExists"
		}
		return p.pointed(When(operator, "s3:prefix", Literal(p.Prefix)+"*"))
	default:
		return p.pointed()
	}
}

// pointed adds to the conditions of a bucket behind an access point that requests come through it.
func (p *Scope) pointed(conditions ...Condition) []Condition {
	if p.On == UnderlyingBucket || p.On == UnderlyingObjects {
		return append(conditions, When("StringEquals", "s3:DataAccessPointArn", p.AccessPoint))
	}
	return conditions
}

// context is what a request for the action carries.
func (p *Scope) context(action string) map[string][]string {
	facts := p.ownContext(action)
	if p.AccessPoint == "" || !strings.HasPrefix(action, "s3:") {
		return facts
	}
	through := map[string][]string{"s3:DataAccessPointArn": {p.AccessPoint}, "s3:DataAccessPointAccount": {arn.Account(p.AccessPoint)}}
	maps.Copy(through, facts)
	return through
}

func (p *Scope) ownContext(action string) map[string][]string {
	switch {
	case strings.HasPrefix(action, "kms:") && p.Holder() == "":
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
func (p *Scope) sid(action string) string {
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

// Literal writes text so that a policy takes its wildcards and variables for plain text (IAM User
// Guide, "IAM policy elements: Variables and tags").
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
