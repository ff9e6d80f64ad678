package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/copier/request"
)

// image contains everything that a reader can see of an object.
type image struct {
	Size                                               int64
	SHA256                                             string // of the content; "" if it is too large or archived
	CRC64NVME                                          string // if the service stores one
	Metadata, Tags, Annotations                        map[string]string
	HiddenMetadata                                     int32
	CacheControl, Disposition, Encoding, Language      string
	ContentType, Expires, Redirect, StorageClass, Lock string
	KeyARN                                             string
	BucketKey                                          bool
}

// maxRead is the maximum number of bytes that are read of an object. For larger objects the test
// compares the checksum.
const maxRead = 64 * mebibyte

// look reads an object as any program with the client's credentials can.
func look(ctx context.Context, client *s3.Client, bucket, key string) (image, error) {
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		return image{}, fmt.Errorf("head %q: %w", key, err)
	}
	i := image{
		Size: aws.ToInt64(head.ContentLength), CRC64NVME: aws.ToString(head.ChecksumCRC64NVME),
		Metadata: head.Metadata, HiddenMetadata: aws.ToInt32(head.MissingMeta),
		CacheControl: aws.ToString(head.CacheControl), Disposition: aws.ToString(head.ContentDisposition), Encoding: coding(head.ContentEncoding),
		Language: aws.ToString(head.ContentLanguage), ContentType: aws.ToString(head.ContentType), Expires: aws.ToString(head.ExpiresString),
		Redirect: aws.ToString(head.WebsiteRedirectLocation), StorageClass: string(head.StorageClass), Lock: lockOf(head),
		KeyARN: aws.ToString(head.SSEKMSKeyId), BucketKey: aws.ToBool(head.BucketKeyEnabled),
	}
	if i.StorageClass == "" {
		i.StorageClass = "STANDARD"
	}
	if i.Tags, err = tagsOf(ctx, client, bucket, key); err != nil {
		return i, err
	}
	if i.Size <= maxRead && i.StorageClass != "GLACIER" && i.StorageClass != "DEEP_ARCHIVE" {
		i.SHA256, err = digest(ctx, client, bucket, key)
	}
	return i, err
}

// coding returns a Content-Encoding without aws-chunked, which describes how a body was sent and is
// not a property of the object.
func coding(header *string) string {
	var kept []string
	for c := range strings.SplitSeq(aws.ToString(header), ",") {
		if c = strings.TrimSpace(c); c != "" && c != "aws-chunked" {
			kept = append(kept, c)
		}
	}
	return strings.Join(kept, ",")
}

func lockOf(head *s3.HeadObjectOutput) string {
	var lock []string
	if head.ObjectLockMode != "" {
		lock = append(lock, string(head.ObjectLockMode)+" until "+aws.ToTime(head.ObjectLockRetainUntilDate).UTC().Format(time.RFC3339))
	}
	if head.ObjectLockEventHold == types.ObjectLockEventHoldOn {
		lock = append(lock, fmt.Sprintf("event hold, then %d days and %d years",
			aws.ToInt32(head.ObjectLockEventHoldDurationDays), aws.ToInt32(head.ObjectLockEventHoldDurationYears)))
	}
	if head.ObjectLockLegalHoldStatus == types.ObjectLockLegalHoldStatusOn {
		lock = append(lock, "legal hold")
	}
	return strings.Join(lock, ", ")
}

func tagsOf(ctx context.Context, client *s3.Client, bucket, key string) (map[string]string, error) {
	out, err := client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, fmt.Errorf("get tags of %q: %w", key, err)
	}
	tags := map[string]string{}
	for _, tag := range out.TagSet {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return tags, nil
}

// annotationsOf reads annotations, if the service supports them.
func annotationsOf(ctx context.Context, client *s3.Client, bucket, key string) (map[string]string, error) {
	annotations := map[string]string{}
	pages := s3.NewListObjectAnnotationsPaginator(client, &s3.ListObjectAnnotationsInput{Bucket: &bucket, Key: &key})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, s3.WithAPIOptions(request.TolerateKeys))
		if err != nil {
			return nil, fmt.Errorf("list annotations of %q: %w", key, err)
		}
		for _, entry := range page.Annotations {
			out, err := client.GetObjectAnnotation(ctx, &s3.GetObjectAnnotationInput{Bucket: &bucket, Key: &key, AnnotationName: entry.AnnotationName})
			if err != nil {
				return nil, fmt.Errorf("get annotation of %q: %w", key, err)
			}
			text, err := io.ReadAll(out.AnnotationPayload)
			if err := errors.Join(err, out.AnnotationPayload.Close()); err != nil {
				return nil, err
			}
			annotations[*entry.AnnotationName] = string(text)
		}
	}
	return annotations, nil
}

func digest(ctx context.Context, client *s3.Client, bucket, key string) (string, error) {
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", fmt.Errorf("get %q: %w", key, err)
	}
	sum := sha256.New()
	_, err = io.Copy(sum, out.Body)
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, out.Body.Close())
}

// wanted returns the expected copy of an object that is copied with a setting.
func (m *matrix) wanted(s setting, source image) image {
	want := source
	want.KeyARN, want.BucketKey = m.keyARN, m.tellsBucketKey && !s.noBucketKey
	want.Redirect = "" // the copy has no redirect, because it is not part of the website
	if !s.carriesLock {
		want.Lock = ""
	}
	switch s.class {
	case "":
		want.StorageClass = "STANDARD"
	case "keep":
	default:
		want.StorageClass = s.class
	}
	if s.noTags {
		want.Tags = nil
	}
	if !s.carriesAnnotations {
		want.Annotations = nil
	}
	if s.noMetadata {
		want.Metadata, want.HiddenMetadata = nil, 0
		want.CacheControl, want.Disposition, want.Encoding, want.Language, want.Expires = "", "", "", "", ""
		want.ContentType = "binary/octet-stream" // S3's default for an object without a Content-Type
	}
	return want
}

// matched empties a checksum in both images if one of the two images lacks that checksum.
func matched(source, copied image) (image, image) {
	if source.CRC64NVME == "" || copied.CRC64NVME == "" {
		source.CRC64NVME, copied.CRC64NVME = "", ""
	}
	if source.SHA256 == "" || copied.SHA256 == "" {
		source.SHA256, copied.SHA256 = "", ""
	}
	return source, copied
}
