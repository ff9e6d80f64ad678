package awsfake

// The limits of objects and requests ("Amazon S3 multipart upload limits", "Working with object
// metadata", "Categorizing your storage using tags", Amazon S3 User Guide).
const (
	maxSinglePut    = 5 << 30            // bytes, of PutObject, of a part and of a CopyObject source
	minPart         = 5 << 20            // bytes, of every part but the last
	maxParts        = 10000              // part numbers
	maxObject       = 50_000_000_000_000 // bytes
	maxUserMetadata = 2 << 10            // bytes of names and values
	maxTags         = 10
	maxPage         = 1000 // keys, parts or uploads
)
