package transfer

// S3's limits, in bytes but for the number of parts, and the sizes that are chosen within them.
const (
	// MaxCopyObject is the largest object that one CopyObject takes (Amazon S3 API Reference,
	// CopyObject: 5 GB, which S3 counts as 5 GiB).
	MaxCopyObject int64 = 5 << 30
	// MaxParts, MinPartSize and MaxPartSize bound an upload; the last part may be smaller (Amazon
	// S3 User Guide, "Amazon S3 multipart upload limits").
	MaxParts          = 10_000
	MinPartSize int64 = 5 << 20
	MaxPartSize int64 = 5 << 30
	// MinRangeSource is the size above which S3 copies a range of an object into a part (Amazon S3
	// API Reference, UploadPartCopy).
	MinRangeSource int64 = 5 << 20
	// DefaultRelayPart is the size of a part of a relay, and the largest object that one relays in
	// one piece.
	DefaultRelayPart int64 = 8 << 20
	// defaultPartSize is that of a server-side copy: short enough to finish while a task is being
	// stopped.
	defaultPartSize int64 = 256 << 20
)

// MaxWhole is the largest object that is copied in one piece, in bytes.
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

// MaxObject is the largest object that any parts can make, in bytes.
const MaxObject = MaxParts * MaxPartSize

// PartSizeOf returns the size of the parts that an object of that size is copied in, of every part
// but the last: the wanted one, or larger where 10,000 parts of it would not do. It is 0 for an
// object that goes in one piece.
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
	// Object is the size of the object, and Size that of every part but the last, in bytes.
	Object, Size int64
}

// Count returns how many there are.
func (p Parts) Count() int { return int((p.Object + p.Size - 1) / p.Size) }

// Bounds returns where the part of an index from 0 on begins in the object and how long it is, in
// bytes.
func (p Parts) Bounds(index int) (first, length int64) {
	first = int64(index) * p.Size
	return first, min(p.Size, p.Object-first)
}
