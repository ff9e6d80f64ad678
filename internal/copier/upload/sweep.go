package upload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/arn"
	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/request"
	"syncd/internal/transfer"
)

var (
	// ErrUploadsHidden reports that unfinished uploads cannot be listed, so no upload was aborted.
	ErrUploadsHidden = errors.New("unfinished uploads cannot be listed")

	errListStalled = errors.New("the service's listing does not advance")
)

// Sweep aborts unfinished uploads that no record names, and returns how many it aborted. It aborts
// an upload if all of this is true: the upload is under the destination prefix, a session of
// [Options].Initiator with the name [Options].Session began it, it began earlier than before by the
// destination's clock, and kept does not contain it.
//
// Sweep never aborts uploads of other initiators, or uploads without an initiator. If
// [Options].Initiator is empty, Sweep does nothing. Call Sweep only if kept contains every upload
// that began earlier than before and is still needed, including the uploads of running passes. If
// the listing is refused, the error is ErrUploadsHidden. If an abort fails, Sweep continues with
// the other uploads, unless the error would also affect them.
func (u *Uploads) Sweep(ctx context.Context, before time.Time, kept []record.Upload) (aborted int, err error) {
	sessions := sessionPrefix(u.o.Initiator)
	if sessions == "" {
		return 0, nil
	}
	ours := func(found types.MultipartUpload) bool {
		if found.Initiator == nil || found.Initiated == nil {
			return false
		}
		session, isSession := strings.CutPrefix(aws.ToString(found.Initiator.ID), sessions)
		return isSession && (u.o.Session == "" || session == u.o.Session) && found.Initiated.Before(before)
	}
	var failures error
	err = u.eachUpload(ctx, func(key string, found types.MultipartUpload) error {
		if !ours(found) || slices.ContainsFunc(kept, func(k record.Upload) bool { return k.ID == aws.ToString(found.UploadId) }) {
			return nil
		}
		err := u.Abort(ctx, record.Upload{Bucket: u.o.Destination.Bucket, DestinationKey: key, ID: aws.ToString(found.UploadId)})
		if err == nil {
			aborted++
			return nil
		}
		if willResume(ctx, err) {
			return err
		}
		failures = errors.Join(failures, err)
		return nil
	})
	return aborted, errors.Join(err, failures)
}

// sessionPrefix returns the common prefix of the ARNs of a role's sessions, or "" if role is not
// the ARN of a role.
func sessionPrefix(role string) string {
	if _, err := arn.ParseRole(role); err != nil {
		return ""
	}
	return arn.Session(role, "")
}

// eachUpload calls do for every unfinished upload under the destination prefix, with the key of the
// upload.
func (u *Uploads) eachUpload(ctx context.Context, do func(key string, found types.MultipartUpload) error) error {
	in := &s3.ListMultipartUploadsInput{
		Bucket: &u.o.Destination.Bucket, Prefix: request.Optional(u.o.Destination.Prefix), ExpectedBucketOwner: u.o.Destination.ExpectedOwner(),
		// Keys are bytes, some of which are not valid in XML.
		EncodingType: types.EncodingTypeUrl,
	}
	for {
		page, err := u.listUploads(ctx, in)
		if err != nil {
			return err
		}
		encoded := page.EncodingType == types.EncodingTypeUrl
		for _, found := range page.Uploads {
			key, err := transfer.DecodeKey(aws.ToString(found.Key), encoded)
			if err != nil {
				return fmt.Errorf("decode key of upload %s: %w", aws.ToString(found.UploadId), err)
			}
			if err := do(key, found); err != nil {
				return err
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
		marker, err := transfer.DecodeKey(aws.ToString(page.NextKeyMarker), encoded)
		if err != nil {
			return fmt.Errorf("decode key marker: %w", err)
		}
		if marker == aws.ToString(in.KeyMarker) && aws.ToString(page.NextUploadIdMarker) == aws.ToString(in.UploadIdMarker) {
			return fmt.Errorf("list uploads: %w after %q", errListStalled, marker)
		}
		in.KeyMarker, in.UploadIdMarker = &marker, page.NextUploadIdMarker
	}
}

func (u *Uploads) listUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (page *s3.ListMultipartUploadsOutput, err error) {
	err = u.o.Requests.Send(ctx, func(ctx context.Context) (err error) {
		page, err = u.o.API.ListMultipartUploads(ctx, in)
		return err
	})
	switch class := awserr.Classify(err); class { //nolint:exhaustive // the classes of a service that does not list uploads
	case "":
		return page, nil
	case awserr.Denied, awserr.Unsupported:
		return nil, fmt.Errorf("%w in s3://%s: %w", ErrUploadsHidden, u.o.Destination.Bucket, err)
	default:
		return nil, fmt.Errorf("list uploads of s3://%s: %w", u.o.Destination.Bucket, err)
	}
}
