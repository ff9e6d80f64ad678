package deleting

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

const (
	// Group is the number of consecutive copies whose keys are looked up one after another, so that
	// one page of the listing can answer for several. Groups are looked up side by side.
	Group = 64
	// groups is how many groups of a call are looked up at once.
	groups = 16
)

// Rechecked is the result of Recheck.
type Rechecked struct {
	// Gone are the entries whose keys do not exist at the source, and Vacant the ranges of absent keys
	// that contain them, both in ascending order.
	Gone   []record.Entry
	Vacant []record.Range
	// Done are the other copies. They must not be deleted.
	Done []Deletion
}

// Recheck lists the source again to find out which copies can be deleted. The entries are those of the
// copies, in ascending order of their keys. If the destination is not S3, it may ignore the condition
// of a delete, so Recheck also checks with one HEAD request each that the copies still have their ETags.
// It returns an error for a failure that affects all requests.
func (d *Deleter) Recheck(ctx context.Context, entries []record.Entry) (Rechecked, error) {
	var parts []*rechecker
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(groups)
	for group := range slices.Chunk(entries, Group) {
		r := &rechecker{o: &d.o}
		parts = append(parts, r)
		work.Go(func() error {
			return request.Guard(d.o.SourcePlace.Bucket, group[0].Key, func() error { return r.run(ctx, group) })
		})
	}
	if err := work.Wait(); err != nil {
		return Rechecked{}, err
	}
	var all Rechecked
	for _, r := range parts {
		all.Gone, all.Vacant, all.Done = append(all.Gone, r.Gone...), append(all.Vacant, r.Vacant...), append(all.Done, r.Done...)
	}
	return all, nil
}

// rechecker looks up one group. It lists a page of the source from a key on, which answers for all keys up
// to the end of the page.
type rechecker struct {
	o *Options
	Rechecked

	page     []string // keys of the page
	from     string   // the page has all keys of the source from this one on
	isWhole  bool     // the page has the last key of the source
	isListed bool
	vacant   string // key above which the last range of Vacant continues, "" for none
}

func (r *rechecker) run(ctx context.Context, entries []record.Entry) error {
	for i, e := range entries {
		exists, err := r.has(ctx, e.Key)
		switch {
		case err != nil && isFatal(ctx, err):
			return err
		case err != nil: // each further listing could take minutes
			for _, e := range entries[i:] {
				r.Done = append(r.Done, Deletion{Key: e.Key, Ending: Refused, Err: err})
			}
			return nil
		case exists:
			r.Done = append(r.Done, Deletion{Key: e.Key, Ending: Returned})
		default:
			if err := r.check(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// has reports whether the source has a key.
func (r *rechecker) has(ctx context.Context, key string) (bool, error) {
	if !r.isListed || key < r.from || !r.isWhole && key > r.page[len(r.page)-1] {
		live := listing.Live{Client: r.o.Source, Place: r.o.SourcePlace}
		var objects []listing.Object
		var more bool
		err := r.o.Requests.Send(ctx, func(ctx context.Context) (err error) {
			objects, more, err = live.From(ctx, key)
			return err
		})
		if err != nil {
			return false, r.o.failed("look up", r.o.SourcePlace.Bucket, key, err)
		}
		r.page = r.page[:0]
		for _, object := range objects {
			r.page = append(r.page, object.Key)
		}
		r.isListed, r.from, r.isWhole, r.vacant = true, key, !more, ""
	}
	_, exists := slices.BinarySearch(r.page, key)
	return exists, nil
}

// check decides whether the copy of an object that no longer exists can be deleted.
func (r *rechecker) check(ctx context.Context, e record.Entry) error {
	ending, err := r.endingOf(ctx, e)
	switch {
	case err != nil && isFatal(ctx, err):
		return err
	case err != nil:
		r.Done = append(r.Done, Deletion{Key: e.Key, Ending: Refused, Err: err})
	case ending != "":
		r.Done = append(r.Done, Deletion{Key: e.Key, Ending: ending})
	default:
		r.Gone = append(r.Gone, e)
		r.addVacant(e.Key)
	}
	return nil
}

// addVacant adds a key to the last range of Vacant if no key of the source is in between, or begins a
// new range.
func (r *rechecker) addVacant(key string) {
	next, _ := slices.BinarySearch(r.page, key)
	after := ""
	if next > 0 {
		after = r.page[next-1] // the key of the source before this key
	}
	if n := len(r.Vacant); n > 0 && r.vacant != "" && after <= r.vacant {
		r.Vacant[n-1].Until, r.vacant = key, key
		return
	}
	r.Vacant = append(r.Vacant, record.Range{After: record.Below(key), Until: key})
	r.vacant = key
}

// endingOf returns how a copy ends that must not be sent to a service other than S3, or "".
func (r *rechecker) endingOf(ctx context.Context, e record.Entry) (Ending, error) {
	if r.o.ToS3 == nil || r.o.ToS3() {
		return "", nil
	}
	key, to := r.o.keyOf(e.Key), r.o.DestinationPlace
	var head *s3.HeadObjectOutput
	err := r.o.Requests.Send(ctx, func(ctx context.Context) (err error) {
		head, err = r.o.Destination.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &to.Bucket, ExpectedBucketOwner: to.ExpectedOwner(), Key: &key})
		return err
	})
	switch {
	case awserr.Classify(err) == awserr.Gone:
		return Absent, nil
	case err != nil:
		return "", r.o.failed("look up copy of", to.Bucket, key, err)
	case !transfer.SameETag(aws.ToString(head.ETag), e.DestinationETag):
		return Overwritten, nil
	}
	return "", nil
}
