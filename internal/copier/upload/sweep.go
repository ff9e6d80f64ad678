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
	// ErrUploadsHidden says that unfinished uploads may not be listed, so that none was swept.
	ErrUploadsHidden = errors.New("unfinished uploads cannot be listed")

	errListStands = errors.New("the service says that there is more, and lists the same again")
)

// Sweep aborts what nobody remembers: the unfinished uploads under the destination prefix that
// sessions of the initiator's role and of its session name began before that time, by the
// destination's clock, but for those that are kept. It returns how many were removed.
//
// Uploads of any other initiator, or of one that the service does not name, are never touched;
// without [Options].Initiator there is nothing to sweep and no request. An upload that is still
// wanted must have begun later, or must be remembered by nobody: call it when no pass is under way
// whose uploads are older. A listing that is refused is ErrUploadsHidden; an abort that fails does
// not keep the others from being tried, unless it would fail for all.
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

// sessionPrefix returns what the ARNs of a role's sessions begin with, "" for what is no role.
func sessionPrefix(role string) string {
	if _, err := arn.ParseRole(role); err != nil {
		return ""
	}
	return arn.Session(role, "")
}

// eachUpload calls do with every unfinished upload under the destination prefix and its key.
func (u *Uploads) eachUpload(ctx context.Context, do func(key string, found types.MultipartUpload) error) error {
	in := &s3.ListMultipartUploadsInput{
		Bucket: &u.o.Destination.Bucket, Prefix: request.Optional(u.o.Destination.Prefix), ExpectedBucketOwner: u.o.Destination.ExpectedOwner(),
		// Keys are bytes, and not all of them can stand in XML.
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
			return fmt.Errorf("list uploads: %w: the list does not continue after %q", errListStands, marker)
		}
		in.KeyMarker, in.UploadIdMarker = &marker, page.NextUploadIdMarker
	}
}

func (u *Uploads) listUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (page *s3.ListMultipartUploadsOutput, err error) {
	err = u.o.Requests.Send(ctx, func(ctx context.Context) (err error) {
		page, err = u.o.API.ListMultipartUploads(ctx, in)
		return err
	})
	switch class := awserr.Classify(err); class { //nolint:exhaustive // the two classes of a service that shows no uploads
	case "":
		return page, nil
	case awserr.Denied, awserr.Unsupported:
		return nil, fmt.Errorf("%w in s3://%s: %w", ErrUploadsHidden, u.o.Destination.Bucket, err)
	default:
		return nil, fmt.Errorf("list uploads of s3://%s: %w", u.o.Destination.Bucket, err)
	}
}
