package access

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
)

func (w *walk) sourceSetting() s3Setting {
	s := w.m.Source
	return s3Setting{url: s.EndpointURL, pathStyle: s.PathStyle, account: s.Account, payer: s.RequestPayer}
}

// probeSource lists the source, and reads the first byte of one object of each kind of encryption, as each who reads it.
func (w *walk) probeSource(ctx context.Context) error {
	at := w.place(SourceBucket)
	d, err := w.open(w.m.Source.Role, at, w.sourceSetting())
	if d == nil || err != nil {
		return err
	}
	listed, away := w.probeList(ctx, d, w.ask(Reader, "s3:ListBucket", SourceBucket))
	if away != "" {
		w.excuse(away, SourceObjects, SourceKey)
		return nil
	}
	if len(listed) == 0 {
		w.excuse("no source object is known to try it on", SourceObjects, SourceKey)
		return nil
	}
	w.samples = w.probeObjects(ctx, d, listed, Reader)
	w.probeTags(ctx, d, listed[0], Reader)
	w.probeAnnotations(ctx, d, listed[0], Reader)
	w.probeLocks(ctx, d, listed[0])
	if w.m.Destination.Role == w.m.Source.Role || w.relay {
		return nil
	}
	if d, err = w.open(w.m.Destination.Role, at, w.sourceSetting()); d == nil || err != nil {
		return err
	}
	w.probeObjects(ctx, d, listed, Writer)
	w.probeTags(ctx, d, listed[0], Writer)
	w.probeAnnotations(ctx, d, listed[0], Writer)
	return nil
}

// excuse explains why nothing was found out about permissions on these.
func (w *walk) excuse(why string, on ...Resource) {
	for _, k := range w.asks {
		for _, r := range on {
			if k.On == r {
				k.excused = why
			}
		}
	}
}

// Why nothing else is tried at a bucket: it is not as the configuration says, or nothing there answers.
const (
	wrongBucket = "the bucket is not as the configuration says"
	noAnswer    = "the service could not be reached"
)

// probeList lists the objects under a prefix, and returns why nothing else must be tried there, "" when the bucket is there and as the
// configuration says. Where listing is refused it asks again without naming the owner, and with paying: what works then tells what the
// refusal was about.
func (w *walk) probeList(ctx context.Context, d *door, k *ask) (samples []sample, away string) {
	a := w.try(ctx, "ListObjectsV2", func(ctx context.Context) (err error) {
		samples, err = d.list(ctx)
		return err
	}, k)
	if a.err == nil {
		return samples, ""
	}
	if a.class == awserr.Denied && k != nil {
		a.known = w.probeWay(ctx, d, k)
	}
	switch {
	case k != nil && w.blocked[k.Role] != "":
		return nil, w.blocked[k.Role]
	case awserr.IsAway(a.err):
		return nil, noAnswer
	case len(a.known) > 0 || a.class == awserr.NoBucket || a.class == awserr.WrongRegion:
		return nil, wrongBucket
	default:
		return nil, ""
	}
}

// probeWay finds out whether a bucket can be listed when something else is said about it than the configuration does.
func (w *walk) probeWay(ctx context.Context, d *door, k *ask) []Cause {
	unowned, paying := *d, *d
	unowned.account, paying.payer = nil, types.RequestPayerRequester
	for _, v := range []struct {
		door      door
		differs   bool
		path, why string
	}{
		{unowned, d.account != nil, ".account", "the bucket belongs to another account than the configuration says: the request is allowed when it names no owner"},
		{paying, d.payer == "" && k.On == SourceBucket, ".request_payer", "the requester has to pay: the request is allowed when it says that it does"},
	} {
		if !v.differs {
			continue
		}
		err := bounded(ctx, func(ctx context.Context) error {
			_, err := v.door.list(ctx)
			return err
		})
		if err == nil {
			return []Cause{w.misconfigured(w.sideOf(k)+v.path, v.why)}
		}
	}
	return nil
}

// probeObjects reads the first byte of one object of each kind of encryption. Without its key an object is looked at by HEAD, and what
// is refused then is refused by S3; that answer has no words, so a GET asks again for them.
func (w *walk) probeObjects(ctx context.Context, d *door, listed []sample, by Actor) (samples []sample) {
	read, open := w.ask(by, "s3:GetObject", SourceObjects), w.ask(by, "kms:Decrypt", SourceKey)
	if open != nil {
		open.excused = "no object that was tried is under a KMS key"
	}
	for _, s := range w.look(ctx, d, listed, read) {
		err := bounded(ctx, func(ctx context.Context) error { return d.firstByte(ctx, s) })
		if class := awserr.Classify(err); class == awserr.Archived || class == awserr.Gone {
			continue // it was archived or deleted since: that tells nothing
		}
		w.record("GetObject", err, read, w.of(open, s))
		samples = append(samples, s)
	}
	return samples
}

// look finds the kinds of encryption among the first objects, with one sample of each. One that is refused ends it, unless others are not
// or belong to another account.
func (w *walk) look(ctx context.Context, d *door, listed []sample, read *ask) (kinds []sample) {
	type kind struct {
		key       string
		bucketKey bool
	}
	seen := map[kind]bool{}
	var refused []refusedSample
	chosen := firstOfEachOwner(listed)
	for _, s := range chosen {
		head := w.try(ctx, "HeadObject", func(ctx context.Context) error { return missing(d.head(ctx, &s, d.arn)) }, read)
		if head.err != nil {
			get := w.try(ctx, "GetObject", func(ctx context.Context) error { return d.firstByte(ctx, s) }, read)
			if get.class != awserr.Denied || len(kinds) == 0 && chosen[0].owner == chosen[len(chosen)-1].owner {
				return kinds
			}
			refused = append(refused, refusedSample{s, head, get})
			continue
		}
		if k := (kind{s.key, s.context == d.arn}); !seen[k] {
			seen[k] = true
			kinds = append(kinds, s)
		}
	}
	if len(kinds) > 0 && read != nil {
		w.blameOwners(d.bucket, refused, kinds[0].owner, read)
	}
	return kinds
}

// refusedSample is an object that was refused, by HEAD, whose answer has no words, and by GET.
type refusedSample struct {
	sample
	head, get *attempt
}

// firstOfEachOwner are the first objects, and the first one of each further account that owns some.
func firstOfEachOwner(listed []sample) []sample {
	chosen := slices.Clone(listed[:min(len(listed), probeLooks)])
	for _, s := range listed[len(chosen):] {
		known := slices.ContainsFunc(chosen, func(c sample) bool { return c.owner == s.owner })
		if !known && len(chosen) < 2*probeLooks {
			chosen = append(chosen, s)
		}
	}
	slices.SortStableFunc(chosen, func(a, b sample) int { // those of the first one's owner first
		return strings.Compare(ownerOrder(a, listed[0]), ownerOrder(b, listed[0]))
	})
	return chosen
}

func ownerOrder(s, first sample) string {
	if s.owner == first.owner {
		return ""
	}
	return "other " + s.owner
}

// blameOwners explains objects that are refused while others can be read, one of each owner.
func (w *walk) blameOwners(bucket string, refused []refusedSample, readable string, read *ask) {
	reported := map[string]bool{}
	for _, s := range refused {
		w.attempts = slices.DeleteFunc(w.attempts, func(a *attempt) bool { return a == s.head || a == s.get && reported[s.owner] })
		if reported[s.owner] {
			continue
		}
		reported[s.owner] = true
		name := "s3://" + bucket + "/" + s.object
		sure, why := Likely, "other objects can be read and "+name+" cannot: usually another account has written such objects and owns them"
		if s.owner != readable {
			sure, why = Certain, name+" belongs to another account ("+s.owner+") than the objects that can be read ("+readable+")"
		}
		s.get.known = append(s.get.known, w.owned(read, CauseOwnership, sure, why+`; a bucket policy does not cover them: set Object Ownership of the bucket to `+
			`"Bucket owner enforced", or have them written with bucket-owner-full-control`))
	}
}

func (w *walk) probeTags(ctx context.Context, d *door, s sample, by Actor) {
	k := w.ask(by, "s3:GetObjectTagging", SourceObjects)
	if k == nil {
		return
	}
	w.try(ctx, "GetObjectTagging", func(ctx context.Context) error {
		_, err := d.client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{
			Bucket: &d.bucket, Key: &s.object, ExpectedBucketOwner: d.account, RequestPayer: d.payer,
		})
		return missing(err)
	}, k)
}

// probeAnnotations lists annotations, and asks for one that hardly exists.
func (w *walk) probeAnnotations(ctx context.Context, d *door, s sample, by Actor) {
	if k := w.ask(by, "s3:ListObjectAnnotations", SourceObjects); k != nil {
		w.try(ctx, "ListObjectAnnotations", func(ctx context.Context) error {
			_, err := d.client.ListObjectAnnotations(ctx, &s3.ListObjectAnnotationsInput{
				Bucket: &d.bucket, Key: &s.object, MaxAnnotationResults: aws.Int32(1), ExpectedBucketOwner: d.account, RequestPayer: d.payer,
			})
			return missing(err)
		}, k)
	}
	if k := w.ask(by, "s3:GetObjectAnnotation", SourceObjects); k != nil {
		w.try(ctx, "GetObjectAnnotation", func(ctx context.Context) error {
			_, err := d.client.GetObjectAnnotation(ctx, &s3.GetObjectAnnotationInput{
				Bucket: &d.bucket, Key: &s.object, AnnotationName: aws.String(probeAnnotation), ExpectedBucketOwner: d.account, RequestPayer: d.payer,
			})
			return absent(err)
		}, k)
	}
}

// probeAnnotation is the name of an annotation that no object has.
const probeAnnotation = "syncd-doctor-probe"

// probeLocks asks for retention and legal hold. An object that has none is answered with 404 to those who may ask.
func (w *walk) probeLocks(ctx context.Context, d *door, s sample) {
	if k := w.ask(Reader, "s3:GetObjectRetention", SourceObjects); k != nil {
		w.try(ctx, "GetObjectRetention", func(ctx context.Context) error {
			_, err := d.client.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{
				Bucket: &d.bucket, Key: aws.String(s.object), ExpectedBucketOwner: d.account, RequestPayer: d.payer,
			})
			return unlocked(err)
		}, k)
	}
	if k := w.ask(Reader, "s3:GetObjectLegalHold", SourceObjects); k != nil {
		w.try(ctx, "GetObjectLegalHold", func(ctx context.Context) error {
			_, err := d.client.GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{
				Bucket: &d.bucket, Key: aws.String(s.object), ExpectedBucketOwner: d.account, RequestPayer: d.payer,
			})
			return unlocked(err)
		}, k)
	}
}

// unlocked takes the answer that there is no lock for success.
func unlocked(err error) error {
	if code := awserr.Code(err); code == "NoSuchObjectLockConfiguration" || code == "ObjectLockConfigurationNotFoundError" {
		return nil
	}
	return missing(err)
}
