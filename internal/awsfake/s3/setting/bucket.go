package setting

import (
	"io"
	"net/http"
	"regexp"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// maxBucketPolicy is the maximum length of a bucket policy in bytes ("Bucket policies", Amazon S3
// User Guide).
const maxBucketPolicy = 20 << 10

func createBucket(q *call.Request, _ *store.Bucket) (*wire.Response, error) {
	var in struct{ LocationConstraint string }
	if q.HTTP.ContentLength > 0 {
		if err := q.ReadXML(&in); err != nil {
			return nil, err
		}
	}
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(q.Bucket) {
		return nil, wire.Refuse(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.").With("BucketName", q.Bucket)
	}
	if err := checkLocation(q, in.LocationConstraint); err != nil {
		return nil, err
	}
	x := core.Question{Action: "s3:CreateBucket", Resource: store.BucketARN(q.Bucket), Account: q.Caller.Account.ID(), Gateway: true}
	if d := q.Decide(x); !d.Allowed {
		return nil, wire.Refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: \"%s\" %s",
			q.Caller.Caller.ARN, x.Action, x.Resource, d.Reason())
	}
	if err := q.Store.AddBucket(q.Caller.Account, q.Bucket, q.Region); err != nil {
		return nil, err
	}
	res := wire.Answer(http.StatusOK)
	res.Header.Set("Location", "/"+q.Bucket)
	if q.Region != defaultRegion {
		res.Header.Set("Location", "http://"+q.Bucket+".s3.amazonaws.com/")
	}
	return res, nil
}

// defaultRegion is the Region of a new bucket if the request names none. A request must not name
// it.
const defaultRegion = "us-east-1"

// checkLocation rejects a new bucket in a Region other than the one that the request was sent to.
func checkLocation(q *call.Request, constraint string) error {
	incompatible := "The " + constraint
	switch {
	case constraint == defaultRegion:
		return wire.Refuse(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid").
			With("LocationConstraint", constraint)
	case constraint == q.Region || constraint == "" && q.Region == defaultRegion:
		return nil
	case constraint == "":
		incompatible = "The unspecified"
	}
	return wire.Refuse(http.StatusBadRequest, "IllegalLocationConstraintException",
		"%s location constraint is incompatible for the region specific endpoint this request was sent to.", incompatible)
}

func deleteBucket(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:DeleteBucket", "", nil); err != nil {
		return nil, err
	}
	if !q.Store.RemoveBucket(b) {
		return nil, wire.Refuse(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty").With("BucketName", b.Name())
	}
	return wire.Answer(http.StatusNoContent), nil
}

func headBucket(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:ListBucket", "", nil); err != nil {
		return nil, err
	}
	res := wire.Answer(http.StatusOK)
	res.Header.Set("X-Amz-Bucket-Region", b.Region)
	res.Header.Set("X-Amz-Bucket-Arn", b.ARN())
	return res, nil
}

func getBucketLocation(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:GetBucketLocation", "", nil); err != nil {
		return nil, err
	}
	region := b.Region
	if region == defaultRegion {
		region = "" // S3 returns no name for us-east-1, which was once its only Region
	}
	x := wire.NewXML()
	x.OpenNS("LocationConstraint", call.Namespace)
	x.Text(region)
	x.Close("LocationConstraint")
	return wire.AnswerXML(x), nil
}

// allowPolicy authorises reading or changing the bucket policy. Only callers of the bucket's own
// account are allowed, even if the policy allows others ("GetBucketPolicy", Amazon S3 API
// Reference).
func allowPolicy(q *call.Request, b *store.Bucket, action string) error {
	if err := q.Allow(b, action, "", nil); err != nil {
		return err
	}
	if q.Caller.Account != b.Account {
		return wire.Refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	return nil
}

func getBucketPolicy(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := allowPolicy(q, b, "s3:GetBucketPolicy"); err != nil {
		return nil, err
	}
	policy := b.CurrentPolicy()
	if policy == nil {
		return nil, wire.Refuse(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist").With("BucketName", b.Name())
	}
	res := wire.Answer(http.StatusOK)
	res.Header.Set("Content-Type", "application/json")
	res.SetBody([]byte(policy.String()))
	return res, nil
}

func putBucketPolicy(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := allowPolicy(q, b, "s3:PutBucketPolicy"); err != nil {
		return nil, err
	}
	p, err := q.Payload()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(p, maxBucketPolicy+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBucketPolicy {
		return nil, wire.Refuse(http.StatusBadRequest, "PolicyTooLarge", "The policy exceeds the maximum allowed document size.")
	}
	d, err := iam.Parse(text)
	if err != nil {
		return nil, wire.Refuse(http.StatusBadRequest, "MalformedPolicy", "%v", err)
	}
	if err := refuseBucketPolicy(b.Name(), d); err != nil {
		return nil, err
	}
	if err := d.CheckKind(iam.Bucket); err != nil {
		return nil, wire.Refuse(http.StatusBadRequest, "MalformedPolicy", "%v", err)
	}
	if unknown := q.Cloud.Directory.UnknownPrincipal(d); unknown != "" {
		return nil, wire.Refuse(http.StatusBadRequest, "MalformedPolicy", invalidPrincipals).With("Detail", unknown)
	}
	if err := refusePublic(q, b, d); err != nil {
		return nil, err
	}
	b.SetPolicy(d)
	return wire.Answer(http.StatusNoContent), nil
}

func deleteBucketPolicy(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := allowPolicy(q, b, "s3:DeleteBucketPolicy"); err != nil {
		return nil, err
	}
	b.SetPolicy(nil)
	return wire.Answer(http.StatusNoContent), nil
}

func getBucketRequestPayment(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	payer := "BucketOwner"
	if b.Settings().Requester {
		payer = "Requester"
	}
	return setting(q, b, "s3:GetBucketRequestPayment", func(x *wire.XML) {
		x.OpenNS("RequestPaymentConfiguration", call.Namespace)
		x.Element("Payer", payer)
		x.Close("RequestPaymentConfiguration")
	})
}

// setting returns a bucket setting to callers with permission to read it.
func setting(q *call.Request, b *store.Bucket, action string, write func(*wire.XML)) (*wire.Response, error) {
	if err := q.Allow(b, action, "", nil); err != nil {
		return nil, err
	}
	x := wire.NewXML()
	write(x)
	return wire.AnswerXML(x), nil
}

func getBucketVersioning(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	state := b.Settings().Versioning
	return setting(q, b, "s3:GetBucketVersioning", func(x *wire.XML) {
		x.OpenNS("VersioningConfiguration", call.Namespace)
		x.Optional("Status", state)
		x.Close("VersioningConfiguration")
	})
}

func putBucketVersioning(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutBucketVersioning", "", nil); err != nil {
		return nil, err
	}
	var in struct{ Status string }
	if err := q.ReadXML(&in); err != nil {
		return nil, err
	}
	if in.Status != store.VersioningEnabled && in.Status != store.VersioningSuspended {
		return nil, call.ErrMalformedXML()
	}
	locked := false
	b.Configure(func(set *store.Settings) {
		if locked = set.ObjectLock && in.Status != store.VersioningEnabled; !locked {
			set.Versioning = in.Status
		}
	})
	if locked {
		return nil, wire.Refuse(http.StatusConflict, "InvalidBucketState",
			"An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
	}
	return wire.Answer(http.StatusOK), nil
}

func getBucketEncryption(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	rule := b.EncryptionRule()
	return setting(q, b, "s3:GetEncryptionConfiguration", func(x *wire.XML) {
		x.OpenNS("ServerSideEncryptionConfiguration", call.Namespace)
		x.Open("Rule")
		x.Open("ApplyServerSideEncryptionByDefault")
		x.Element("SSEAlgorithm", store.Encryption{Key: rule.Key, Dual: rule.Dual}.Algorithm())
		if rule.Key != nil {
			x.Element("KMSMasterKeyID", rule.Key.ARN())
		}
		x.Close("ApplyServerSideEncryptionByDefault")
		x.Boolean("BucketKeyEnabled", rule.BucketKey)
		x.Close("Rule")
		x.Close("ServerSideEncryptionConfiguration")
	})
}

func putBucketEncryption(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutEncryptionConfiguration", "", nil); err != nil {
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
	if err := q.ReadXML(&in); err != nil {
		return nil, err
	}
	if len(in.Rule) != 1 {
		return nil, call.ErrMalformedXML()
	}
	rule := store.EncryptionRule{BucketKey: in.Rule[0].BucketKeyEnabled}
	switch def := in.Rule[0].Default; def.SSEAlgorithm {
	case "AES256":
	case "aws:kms", store.AlgorithmDual:
		rule.Dual = def.SSEAlgorithm == store.AlgorithmDual
		if rule.Key = q.Store.Keys.ManagedKey(b.Account, b.Region); def.KMSMasterKeyID != "" {
			rule.Key = q.Store.Keys.FindKey(def.KMSMasterKeyID, b.Region, b.Account)
		}
		if rule.Key == nil {
			return nil, wire.ErrInvalidArgument("Invalid KMS key: %s", def.KMSMasterKeyID)
		}
	default:
		return nil, call.ErrMalformedXML()
	}
	b.Configure(func(set *store.Settings) { set.Rule = rule })
	return wire.Answer(http.StatusOK), nil
}
