package copier

import (
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/annotation"
	"syncd/internal/copier/content"
	"syncd/internal/copier/doubt"
	"syncd/internal/copier/precondition"
	"syncd/internal/copier/request"
	"syncd/internal/copier/upload"
	"syncd/internal/listing"
)

// shared contains the state that all copies of a Copier share.
type shared struct {
	o           Options
	requests    *request.Sender
	source      *source
	destination *destination
	conditions  *precondition.Known
	doubts      *doubt.Doubts
	uploads     *upload.Uploads
	content     content.Source
	memory      *content.Member // share of Options.Buffers
	crc         content.Checksummer
	annotating  annotation.Memory
}

// job is the copy of one object in progress.
type job struct {
	*shared
	object   listing.Object // the version that is copied
	key      string         // key at the destination
	writer   request.Writer
	upload   *upload.Tracker
	standing *standing
	target   Target

	versions      int       // number of times that the source was overwritten during the copy
	began         time.Time // when the last write of the object was sent, by this process's clock
	unconditional string    // why a write was sent without the required condition; "" if none was
}

func (s *shared) failed(op, key string, err error) error { return s.source.failed(op, key, err) }

// guard calls do for an object and returns a panic as a failure of the object.
func (s *shared) guard(key string, do func() error) error {
	return request.Guard(s.source.place.Bucket, key, do)
}

// operation returns the name of the request that creates the copy.
func (j *job) operation() string {
	switch {
	case j.o.PartSizeOf(j.object.Size) > 0:
		return "CompleteMultipartUpload"
	case j.o.Relay:
		return "PutObject"
	default:
		return "CopyObject"
	}
}

// writtenSince returns the earliest possible date of the object that was just written, by the
// destination's clock. S3 dates an object that was uploaded in parts by the start of the upload
// (Amazon S3 User Guide, "Working with object metadata").
func (j *job) writtenSince() time.Time {
	if j.o.PartSizeOf(j.object.Size) > 0 {
		return j.upload.BeganAt()
	}
	return j.destination.there(j.began)
}

// plannedUpload returns the upload record for a copy of the object. The fields that only the
// destination can provide are empty.
func (j *job) plannedUpload() record.Upload {
	return record.Upload{
		Key: j.object.Key, Bucket: j.o.DestinationPlace.Bucket, DestinationKey: j.key,
		Source: j.object.Version, PartSize: j.o.PartSizeOf(j.object.Size), Relay: j.o.Relay,
		Settings: j.o.fingerprint(),
	}
}
