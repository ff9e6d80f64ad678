package access

import (
	"cmp"
	"maps"
	"strings"

	"syncd/internal/arn"
	"syncd/internal/awsname"
	"syncd/internal/transfer"
)

// Scope is a resource of one mapping that rows of the table apply to, with its location and owner.
type Scope struct {
	transfer.Place  // location of the resource
	On              Resource
	Owner           string // account that owns the bucket, access point or key
	Pattern, sample string // ARN as written in a policy, and one concrete ARN that it covers
	Key             string // ARN of the KMS key used for writes; "" for the bucket's default key
	bucketKey       bool
	acl             string   // ACL of writes
	others          []string // additional regions from which S3 may use the key
}

// Scope returns the resource of the given kind in the mapping.
func (v View) Scope(on Resource) Scope {
	p := Scope{On: on}
	source, destination := v.Config.Places(v.Mapping)
	switch on {
	case SourceBucket, SourceObjects, SourceKey, UnderlyingBucket, UnderlyingObjects:
		p.Place = source
		if !v.Relay && destination.Region != source.Region {
			// A cross-region copy runs in the destination's region. AWS does not document whether
			// kms:ViaService then names S3 in the source's region or in the destination's region,
			// so the grant allows either region.
			p.others = []string{destination.Region}
		}
	case DestinationBucket, DestinationObjects, DestinationKey:
		p.Place, p.Key, p.bucketKey = destination, v.Mapping.Destination.KMSKey, v.Mapping.Destination.BucketKey
		p.acl = v.ACL
	case StateBucket, StateObjects, StateKey:
		p.Place, _ = v.Config.StatePlace()
		p.Key, p.bucketKey = v.Config.Checkpoint.KMSKey, true
		p.Owner = v.accountOf(p.Role) // used if the configuration does not specify p.Account
	case AssumedRole:
	}
	p.Owner = cmp.Or(p.Account, p.Owner)
	p.locate()
	return p
}

// locate sets Pattern and sample. For an access point or a key it also sets Owner, which can differ
// from the owner of the bucket.
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
			// The configuration does not name the key that encrypts the source. The pattern matches
			// every key of the owner in the region, and the key policies decide which of them can
			// be used.
			key := func(id string) string { return arn.Key(awsname.Partition(p.Region), p.Region, p.Owner, id) }
			p.Pattern, p.sample = key("*"), key("00000000-0000-0000-0000-000000000000")
		}
		p.Owner = arn.Account(p.Pattern)
	default:
		p.Pattern, p.sample = p.objects(), arn.Object(p.BucketARN(), p.Prefix+"key")
	}
}

// isPoint reports whether the resource is an access point, or objects that are read through an
// access point.
func (p *Scope) isPoint() bool {
	return p.AccessPoint != "" && (p.On == SourceBucket || p.On == SourceObjects)
}

// BucketARN returns the ARN of the bucket that stores the objects. If the bucket is unknown, the
// ARN contains [BucketPlaceholder].
func (p *Scope) BucketARN() string {
	return transfer.BucketARN(p.Region, cmp.Or(p.Holder(), BucketPlaceholder))
}

// BucketPlaceholder replaces the name of an unknown bucket behind an access point in documents.
const BucketPlaceholder = "REPLACE_WITH_BUCKET"

func (p *Scope) objects() string { return arn.Object(p.BucketARN(), Literal(p.Prefix)+"*") }

// Conditions returns the conditions that restrict a grant to the requests of the mapping.
func (p *Scope) Conditions(action string) []Condition {
	switch {
	case strings.HasPrefix(action, "kms:"):
		// With an S3 Bucket Key, the encryption context is the ARN of the bucket. Otherwise it is
		// the ARN of the object. A bucket can contain both kinds of objects.
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
			contexts = contexts[:1] // records are always written with a Bucket Key
		}
		return append(conditions, When("StringLike", EncryptionContext, contexts...))
	case action == "s3:ListBucket" && p.Prefix != "":
		operator := "StringLike"
		if p.On == StateBucket {
			// GetObject returns "not found" for a missing record only to callers that may list the
			// bucket. S3 checks that permission as part of GetObject, a request without the
			// condition key s3:prefix, so the condition must also hold if the key is missing.
			operator += "IfExists"
		}
		return p.pointed(When(operator, "s3:prefix", Literal(p.Prefix)+"*"))
	default:
		return p.pointed()
	}
}

// pointed returns the conditions that it receives. For a bucket behind an access point it adds the
// condition that requests come through that access point.
func (p *Scope) pointed(conditions ...Condition) []Condition {
	if p.On == UnderlyingBucket || p.On == UnderlyingObjects {
		return append(conditions, When("StringEquals", "s3:DataAccessPointArn", p.AccessPoint))
	}
	return conditions
}

// context returns the condition keys and values of a request that needs the action.
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

// sid returns the Sid of the statement that grants the action.
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

// viaService returns the kms:ViaService value for S3 in a region (AWS KMS Developer Guide,
// kms:ViaService).
func viaService(region string) string { return "s3." + region + "." + awsname.Domain(region) }

// Literal escapes text so that a policy treats its wildcards and variables as plain text (IAM User
// Guide, "IAM policy elements: Variables and tags").
func Literal(text string) string {
	return strings.NewReplacer("${", "${$}{", "*", "${*}", "?", "${?}").Replace(text)
}

// Condition keys for the encryption headers of a request.
const (
	EncryptionHeader    = "s3:x-amz-server-side-encryption"
	EncryptionKeyHeader = "s3:x-amz-server-side-encryption-aws-kms-key-id"
)

// EncryptionContext is the condition key for the encryption context with which S3 requests every
// data key from KMS.
const EncryptionContext = "kms:EncryptionContext:aws:s3:arn"
