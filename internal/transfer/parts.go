package transfer

// S3's limits, in bytes except for MaxParts, and the sizes chosen within them.
const (
	// MaxCopyObject is the largest object that CopyObject can copy (Amazon S3 API Reference,
	// CopyObject: 5 GB, which S3 counts as 5 GiB).
	MaxCopyObject int64 = 5 << 30
	// MaxParts, MinPartSize and MaxPartSize are the limits of a multipart upload; the last part can
	// be smaller than MinPartSize (Amazon S3 User Guide, "Amazon S3 multipart upload limits").
	MaxParts          = 10_000
	MinPartSize int64 = 5 << 20
	MaxPartSize int64 = 5 << 30
	// MinRangeSource is the size in bytes above which an object can be copied in ranges, one for
	// each part (Amazon S3 API Reference, UploadPartCopy).
	MinRangeSource int64 = 5 << 20
	// DefaultRelayPart is the part size of a relay, and the largest object that is relayed without
	// a multipart upload.
	DefaultRelayPart int64 = 8 << 20
	// defaultPartSize is the part size of a server-side copy: small enough that a part in flight
	// finishes before a container that is stopping is killed.
	defaultPartSize int64 = 256 << 20
)

// MaxWhole returns the size in bytes of the largest object that is copied without a multipart
// upload.
func (s Settings) MaxWhole() int64 {
	switch {
	case s.Relay:
		return DefaultRelayPart
	case s.MultipartAbove <= 0:
		return MaxCopyObject
	default:
		return min(max(s.MultipartAbove, MinRangeSource), MaxCopyObject)
	}
}

// MaxObject is the size in bytes of the largest object that a multipart upload can create.
const MaxObject = MaxParts * MaxPartSize

// PartSizeOf returns the part size in bytes for an object of the given size in bytes: the
// configured part size, or a larger one if the object would otherwise need more than 10,000 parts.
// The last part may be smaller. It returns 0 for an object that is copied without a multipart
// upload.
func (s Settings) PartSizeOf(size int64) int64 {
	if size <= s.MaxWhole() {
		return 0
	}
	wanted := s.PartSize
	switch {
	case wanted != 0:
	case s.Relay:
		wanted = DefaultRelayPart
	default:
		wanted = defaultPartSize
	}
	if s.Relay && s.RelayMemory > 0 {
		wanted = min(wanted, s.RelayMemory)
	}
	const mebibyte = 1 << 20
	least := (size + MaxParts - 1) / MaxParts
	least = (least + mebibyte - 1) / mebibyte * mebibyte
	return min(max(wanted, least, MinPartSize), MaxPartSize)
}

// Parts are the parts of one object.
type Parts struct {
	// Object is the size of the object, and Size the size of every part except the last, in bytes.
	Object, Size int64
}

// Count returns the number of parts.
func (p Parts) Count() int { return int((p.Object + p.Size - 1) / p.Size) }

// Bounds returns the offset and the length in bytes of a part. The index starts at 0.
func (p Parts) Bounds(index int) (first, length int64) {
	first = int64(index) * p.Size
	return first, min(p.Size, p.Object-first)
}
