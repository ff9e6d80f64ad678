package awsfake

import (
	"io"
	"net/http"
	"regexp"

	"syncd/internal/iam"
)

// maxBucketPolicy is in bytes ("Bucket policies", Amazon S3 User Guide).
const maxBucketPolicy = 20 << 10

func createBucket(q *s3Request, _ *Bucket) (*response, error) {
	var in struct{ LocationConstraint string }
	if q.http.ContentLength > 0 {
		if err := q.readXML(&in); err != nil {
			return nil, err
		}
	}
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(q.bucket) {
		return nil, refuse(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.").with("BucketName", q.bucket)
	}
	if err := checkLocation(q, in.LocationConstraint); err != nil {
		return nil, err
	}
	x := question{action: "s3:CreateBucket", resource: bucketARN(q.bucket), account: q.caller.account.ID(), gateway: true}
	if d := q.decide(x); !d.Allowed {
		return nil, refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: \"%s\" %s",
			q.caller.caller.ARN, x.action, x.resource, d.Reason())
	}
	if err := q.s3.addBucket(q.caller.account, q.bucket, q.region); err != nil {
		return nil, err
	}
	res := answer(http.StatusOK)
	res.header.Set("Location", "/"+q.bucket)
	if q.region != defaultRegion {
		res.header.Set("Location", "http://"+q.bucket+".s3.amazonaws.com/")
	}
	return res, nil
}

// defaultRegion is the one that a new bucket is in which names none, and that no bucket may name.
const defaultRegion = "us-east-1"

// checkLocation refuses a new bucket in another Region than the one that is asked to make it.
func checkLocation(q *s3Request, constraint string) error {
	incompatible := "The " + constraint
	switch {
	case constraint == defaultRegion:
		return refuse(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid").
			with("LocationConstraint", constraint)
	case constraint == q.region || constraint == "" && q.region == defaultRegion:
		return nil
	case constraint == "":
		incompatible = "The unspecified"
	}
	return refuse(http.StatusBadRequest, "IllegalLocationConstraintException",
		"%s location constraint is incompatible for the region specific endpoint this request was sent to.", incompatible)
}

func deleteBucket(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:DeleteBucket", "", nil); err != nil {
		return nil, err
	}
	if !q.s3.removeBucket(b) {
		return nil, refuse(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty").with("BucketName", b.Name())
	}
	return answer(http.StatusNoContent), nil
}

func headBucket(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:ListBucket", "", nil); err != nil {
		return nil, err
	}
	res := answer(http.StatusOK)
	res.header.Set("X-Amz-Bucket-Region", b.region)
	res.header.Set("X-Amz-Bucket-Arn", b.ARN())
	return res, nil
}

func getBucketLocation(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:GetBucketLocation", "", nil); err != nil {
		return nil, err
	}
	region := b.region
	if region == defaultRegion {
		region = "" // as the API has it since before there were others
	}
	x := newXML()
	x.openNS("LocationConstraint", s3Namespace)
	x.text(region)
	x.close("LocationConstraint")
	return answerXML(x), nil
}

// allowPolicy authorises reading or changing the bucket policy, which only the bucket's own account
// can, whatever the policy says ("GetBucketPolicy", Amazon S3 API Reference).
func allowPolicy(q *s3Request, b *Bucket, action string) error {
	if err := q.allow(b, action, "", nil); err != nil {
		return err
	}
	if q.caller.account != b.account {
		return refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	return nil
}

func getBucketPolicy(q *s3Request, b *Bucket) (*response, error) {
	if err := allowPolicy(q, b, "s3:GetBucketPolicy"); err != nil {
		return nil, err
	}
	policy := b.currentPolicy()
	if policy == nil {
		return nil, refuse(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist").with("BucketName", b.Name())
	}
	res := answer(http.StatusOK)
	res.header.Set("Content-Type", "application/json")
	res.setBody([]byte(policy.String()))
	return res, nil
}

func putBucketPolicy(q *s3Request, b *Bucket) (*response, error) {
	if err := allowPolicy(q, b, "s3:PutBucketPolicy"); err != nil {
		return nil, err
	}
	p, err := q.payload()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(p, maxBucketPolicy+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBucketPolicy {
		return nil, refuse(http.StatusBadRequest, "PolicyTooLarge", "The policy exceeds the maximum allowed document size.")
	}
	d, err := iam.Parse(text)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicy", "%v", err)
	}
	if err := refuseBucketPolicy(b.Name(), d); err != nil {
		return nil, err
	}
	if err := d.CheckKind(iam.Bucket); err != nil {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicy", "%v", err)
	}
	if unknown := q.cloud.directory.unknownPrincipal(d); unknown != "" {
		return nil, refuse(http.StatusBadRequest, "MalformedPolicy", invalidPrincipals).with("Detail", unknown)
	}
	if err := refusePublic(q, b, d); err != nil {
		return nil, err
	}
	b.SetPolicy(d)
	return answer(http.StatusNoContent), nil
}

func deleteBucketPolicy(q *s3Request, b *Bucket) (*response, error) {
	if err := allowPolicy(q, b, "s3:DeleteBucketPolicy"); err != nil {
		return nil, err
	}
	b.SetPolicy(nil)
	return answer(http.StatusNoContent), nil
}

func getBucketRequestPayment(q *s3Request, b *Bucket) (*response, error) {
	payer := "BucketOwner"
	if b.settings().requester {
		payer = "Requester"
	}
	return setting(q, b, "s3:GetBucketRequestPayment", func(x *xmlWriter) {
		x.openNS("RequestPaymentConfiguration", s3Namespace)
		x.element("Payer", payer)
		x.close("RequestPaymentConfiguration")
	})
}

// setting answers a bucket setting to those who may read it.
func setting(q *s3Request, b *Bucket, action string, write func(*xmlWriter)) (*response, error) {
	if err := q.allow(b, action, "", nil); err != nil {
		return nil, err
	}
	x := newXML()
	write(x)
	return answerXML(x), nil
}

func getBucketVersioning(q *s3Request, b *Bucket) (*response, error) {
	state := b.settings().versioning
	return setting(q, b, "s3:GetBucketVersioning", func(x *xmlWriter) {
		x.openNS("VersioningConfiguration", s3Namespace)
		x.optional("Status", state)
		x.close("VersioningConfiguration")
	})
}

func putBucketVersioning(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutBucketVersioning", "", nil); err != nil {
		return nil, err
	}
	var in struct{ Status string }
	if err := q.readXML(&in); err != nil {
		return nil, err
	}
	if in.Status != versioningEnabled && in.Status != versioningSuspended {
		return nil, errMalformedXML()
	}
	locked := false
	b.configure(func(set *settings) {
		if locked = set.objectLock && in.Status != versioningEnabled; !locked {
			set.versioning = in.Status
		}
	})
	if locked {
		return nil, refuse(http.StatusConflict, "InvalidBucketState",
			"An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
	}
	return answer(http.StatusOK), nil
}

func getBucketEncryption(q *s3Request, b *Bucket) (*response, error) {
	rule := b.encryptionRule()
	return setting(q, b, "s3:GetEncryptionConfiguration", func(x *xmlWriter) {
		x.openNS("ServerSideEncryptionConfiguration", s3Namespace)
		x.open("Rule")
		x.open("ApplyServerSideEncryptionByDefault")
		x.element("SSEAlgorithm", encryption{key: rule.key, dual: rule.dual}.algorithm())
		if rule.key != nil {
			x.element("KMSMasterKeyID", rule.key.ARN())
		}
		x.close("ApplyServerSideEncryptionByDefault")
		x.boolean("BucketKeyEnabled", rule.bucketKey)
		x.close("Rule")
		x.close("ServerSideEncryptionConfiguration")
	})
}

func putBucketEncryption(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutEncryptionConfiguration", "", nil); err != nil {
		return nil, err
	}
	var in struct {
		Rule []struct {
			Default struct {
				SSEAlgorithm, KMSMasterKeyID string
			} `xml:"ApplyServerSideEncryptionByDefault"`
			BucketKeyEnabled bool
		}
	}
	if err := q.readXML(&in); err != nil {
		return nil, err
	}
	if len(in.Rule) != 1 {
		return nil, errMalformedXML()
	}
	rule := encryptionRule{bucketKey: in.Rule[0].BucketKeyEnabled}
	switch def := in.Rule[0].Default; def.SSEAlgorithm {
	case "AES256":
	case "aws:kms", algorithmDual:
		rule.dual = def.SSEAlgorithm == algorithmDual
		if rule.key = q.s3.keys.managedKey(b.account, b.region); def.KMSMasterKeyID != "" {
			rule.key = q.s3.keys.findKey(def.KMSMasterKeyID, b.region, b.account)
		}
		if rule.key == nil {
			return nil, errInvalidArgument("Invalid KMS key: %s", def.KMSMasterKeyID)
		}
	default:
		return nil, errMalformedXML()
	}
	b.configure(func(set *settings) { set.rule = rule })
	return answer(http.StatusOK), nil
}
