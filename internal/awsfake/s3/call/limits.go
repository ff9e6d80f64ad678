package call

// The limits of objects and requests ("Amazon S3 multipart upload limits", "Working with object
// metadata", "Categorizing your storage using tags", Amazon S3 User Guide).
const (
	MaxSinglePut    = 5 << 30            // bytes, of PutObject, of a part and of a CopyObject source
	MinPart         = 5 << 20            // bytes, of every part but the last
	MaxParts        = 10000              // part numbers
	MaxObject       = 50_000_000_000_000 // bytes
	MaxUserMetadata = 2 << 10            // bytes of names and values
	MaxTags         = 10
	MaxPage         = 1000 // keys, parts or uploads
)

// Namespace is that of every document of S3.
const Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
