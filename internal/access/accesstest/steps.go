package accesstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/config"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/record"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/copier"
	"syncd/internal/copier/content"
	"syncd/internal/creds"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// job is a mapping with its clients and objects.
type job struct {
	mapping config.Mapping
	set     *creds.Set
	source  *s3.Client
	target  *s3.Client
	copier  *copier.Copier
	how     transfer.Settings
	objects map[string]listing.Object
	present map[string]listing.Object // copies that already exist at the destination
	orphan  string                    // ID of an upload that an earlier session started
	copies  *awsfake.Bucket

	initiator string

	from, to transfer.Place
}

// Fill creates the objects of a mapping: small objects with tags, with and without an S3 Bucket
// Key, one object large enough for multipart upload, and an existing copy at the destination
// without a Bucket Key.
func (x *World) Fill(m config.Mapping) {
	source, target := x.Source(), x.Buckets[m.Destination.Bucket]
	tags := awsfake.PutOptions{
		Tags: map[string]string{"team": "lake"}, Annotations: map[string]string{"note": "annotation"},
		Lock: awsfake.Lock{Mode: "GOVERNANCE", Until: time.Now().Add(time.Hour), LegalHold: true},
	}
	many := tags
	many.Tags = map[string]string{}
	for i := range 10 {
		many.Tags[fmt.Sprint("tag", i)] = strings.Repeat("x", 250)
	}
	source.Put(m.Source.Prefix+"plain", awsfake.BytesBody([]byte("plain")), tags)
	source.SetEncryption(x.OwnerKey.ARN(), true)
	source.Put(m.Source.Prefix+"bucket-key", awsfake.BytesBody([]byte("bucket key")), tags)
	source.Put(m.Source.Prefix+"tagged", awsfake.BytesBody([]byte("tagged")), many)
	source.Put(m.Source.Prefix+"large", awsfake.SyntheticBody(9<<20, 1), many)
	target.Put(m.Destination.Prefix+"plain", awsfake.BytesBody([]byte("plain")), awsfake.PutOptions{})
}

func listed(o awsfake.ObjectInfo) listing.Object {
	return listing.Object{
		Key: o.Key, Version: transfer.Version{ETag: `"` + o.ETag + `"`, Size: o.Size, LastModified: o.LastModified}, StorageClass: o.StorageClass,
	}
}

// newJob returns the job of a mapping. The caller must have called Fill for the mapping.
func (x *World) newJob(t *testing.T, m config.Mapping, set *creds.Set) *job {
	t.Helper()
	from, to := x.Config.Places(m)
	j := &job{
		mapping: m, set: set, from: from, to: to, source: sourceClient(t, set, m), target: Client(t, set, m.Destination.Role),
		objects: map[string]listing.Object{}, present: map[string]listing.Object{}, how: x.Config.Transfer(m),
		copies: x.Buckets[m.Destination.Bucket], initiator: x.Config.Roles[m.Destination.Role].ARN,
	}
	if j.how.MultipartAbove == 0 {
		j.how.MultipartAbove = transfer.MinRangeSource
	}
	for _, name := range []string{"plain", "bucket-key", "tagged", "large"} {
		o, ok := x.Source().Object(m.Source.Prefix + name)
		if !ok {
			t.Fatalf("get object %s: there is none", name)
		}
		j.objects[name] = listed(o)
	}
	for name, body := range map[string]string{"plain": "plain", "bucket-key": "bucket key"} {
		j.present[name] = listed(x.Buckets[m.Destination.Bucket].Put(m.Destination.Prefix+name, awsfake.BytesBody([]byte(body)), awsfake.PutOptions{}))
	}
	j.copier = newCopier(j)
	return j
}

// relayed is the memory limit for relays, in bytes.
const relayed = 64 << 20

// slots is a semaphore.
type slots chan struct{}

func (s slots) Acquire(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s slots) Release() { <-s }

func newCopier(j *job) *copier.Copier {
	m := j.mapping
	return copier.New(copier.Options{
		Source: j.source, Destination: j.target,
		SourcePlace: j.from, DestinationPlace: j.to,
		KeyARN: m.Destination.KMSKey, BucketKey: m.Destination.BucketKey, Initiator: j.initiator,
		Settings: j.how,
		Buffers:  content.NewBuffers(relayed), Slots: make(slots, 8),
	})
}

// inParts reports whether some objects of the mapping can be copied in parts.
func (j *job) inParts() bool {
	most := int64(j.mapping.Filter.MaxSize)
	return most == 0 || most > j.how.MaxWhole()
}

// steps returns every action of syncd that a mapping needs, in the order of a pass.
func (j *job) steps() []step {
	steps := []step{
		{"list", func(ctx context.Context) error {
			return list(ctx, listing.Live{Client: j.source, Place: j.from})
		}},
		{"list destination", func(ctx context.Context) error {
			return list(ctx, listing.Live{Client: j.target, Place: j.to})
		}},
		{"adopt", func(ctx context.Context) error { return j.adopt(ctx, "plain") }},
		{"adopt bucket key", func(ctx context.Context) error { return j.adopt(ctx, "bucket-key") }},
		{"copy", func(ctx context.Context) error { return j.copy(ctx, "plain") }},
		{"replace", j.replace},
		{"copy bucket key", func(ctx context.Context) error { return j.copy(ctx, "bucket-key") }},
		{"copy with many tags", func(ctx context.Context) error { return j.copy(ctx, "tagged") }},
	}
	if j.inParts() {
		steps = append(steps,
			step{"copy large", func(ctx context.Context) error { return j.copy(ctx, "large") }},
			step{"list parts", j.resume},
			step{"sweep", j.sweep})
	}
	return append(steps, step{"inspect", j.inspect}, step{"delete", j.delete})
}

func list(ctx context.Context, live listing.Live) error {
	for _, err := range live.List(ctx, listing.Range{}) {
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *job) copy(ctx context.Context, name string) error {
	j.copies.Delete(j.mapping.Destination.Prefix + name)
	result, _, err := j.copier.Copy(ctx, j.objects[name], copier.Target{}, nil)
	if err != nil || j.mapping.Copy.ObjectLock != config.CarryCopy {
		return err
	}
	made, _ := j.copies.Object(result.DestinationKey)
	if made.Lock.Mode == "" || !made.Lock.LegalHold {
		return fmt.Errorf("the copy has the lock %+v", made.Lock)
	}
	return nil
}

// adopt checks that the pass adopts an existing copy. If the role may not read the copy, syncd
// copies the object again, which adopt reports as an error.
func (j *job) adopt(ctx context.Context, name string) error {
	present := j.present[name]
	result, _, err := j.copier.Copy(ctx, j.objects[name], copier.Target{Looked: true, Present: &present}, nil)
	if err == nil && !result.Adopted {
		err = errors.New("the existing copy was not adopted")
	}
	return err
}

// replace overwrites a copy that is in the ledger, with If-Match. If the role lacks a permission
// for conditional writes, syncd writes without the condition, which replace reports as an error.
func (j *job) replace(ctx context.Context) error {
	known, _ := j.copies.Object(j.mapping.Destination.Prefix + "plain")
	result, _, err := j.copier.Copy(ctx, j.objects["plain"], copier.Target{Known: known.ETag}, nil)
	if err == nil && result.Unconditional != "" {
		err = errors.New("the copy was replaced without a condition")
	}
	return err
}

// begin starts an upload in a separate session and leaves it unfinished, like a process that was
// killed.
func (j *job) begin(ctx context.Context, as *s3.Client) error {
	d := j.mapping.Destination
	out, err := as.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &d.Bucket, Key: aws.String(d.Prefix + "orphan"),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &d.KMSKey, BucketKeyEnabled: &d.BucketKey,
	})
	if err == nil {
		j.orphan = aws.ToString(out.UploadId)
	}
	return err
}

func (j *job) resume(ctx context.Context) error {
	d := j.mapping.Destination
	_, err := j.target.ListParts(ctx, &s3.ListPartsInput{Bucket: &d.Bucket, Key: aws.String(d.Prefix + "orphan"), UploadId: &j.orphan})
	return err
}

func (j *job) sweep(ctx context.Context) error {
	aborted, err := j.copier.SweepUploads(ctx, time.Now().Add(time.Hour), nil)
	if err == nil && aborted == 0 {
		err = errors.New("the upload of an earlier session still exists")
	}
	return err
}

// inspect checks that a copy made by an earlier step has no differences.
func (j *job) inspect(ctx context.Context) error {
	if j.mapping.Verify.Sample == 0 {
		return nil
	}
	made, _ := j.copies.Object(j.mapping.Destination.Prefix + "bucket-key")
	entry := record.Entry{DestinationETag: made.ETag, BucketKey: j.mapping.Destination.BucketKey, CopiedAt: made.LastModified}
	found, _, err := j.copier.Inspect(ctx, j.objects["bucket-key"], entry)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("the copy differs: %s: %s", found[0].Kind, found[0].Detail)
	}
	return err
}

func (j *job) delete(ctx context.Context) error {
	d := j.mapping.Destination
	if !j.mapping.Delete.Enabled {
		return nil
	}
	_, err := j.target.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &d.Bucket, Key: aws.String(d.Prefix + "bucket-key")})
	return err
}

// keep uses the store as the ledger does: it acquires the lease, writes, reads and lists records,
// reads a missing record, and deletes.
func keep(store *s3store.Store) func(context.Context) error {
	return func(ctx context.Context) error {
		lease, err := store.Acquire(ctx, "mapping", "holder")
		if err != nil {
			return err
		}
		record := func(w io.Writer) error {
			_, err := io.WriteString(w, "record")
			return err
		}
		_, absent := store.Read(ctx, "mapping/absent")
		if !errors.Is(absent, fs.ErrNotExist) {
			return fmt.Errorf("read missing record: got %w, want fs.ErrNotExist", absent)
		}
		if err := errors.Join(store.Create(ctx, "mapping/record", record), lease.Release()); err != nil {
			return err
		}
		_, listing := store.List(ctx, "mapping/")
		_, reading := store.Read(ctx, "mapping/record")
		return errors.Join(listing, reading, store.Delete(ctx, "mapping/record"))
	}
}

// Steps returns every action of syncd for all mappings and the state.
func (x *World) Steps(t *testing.T) []step {
	t.Helper()
	x.runs++
	set := x.Sessions(t, "")
	var steps []step
	for _, m := range x.Config.Mappings {
		j := x.newJob(t, m, set)
		earlier := Client(t, x.Sessions(t, "earlier"), m.Destination.Role)
		steps = append(steps, step{"begin upload", func(ctx context.Context) error { return j.begin(ctx, earlier) }})
		steps = append(steps, j.steps()...)
	}
	state, ok := x.Config.StatePlace()
	if !ok {
		return steps
	}
	state.Prefix += fmt.Sprintf("run-%d", x.runs)
	store := s3store.New(Client(t, set, state.Role), s3store.Options{Place: state, KMSKey: x.Config.Checkpoint.KMSKey})
	return append(steps, step{"state", keep(store)})
}
