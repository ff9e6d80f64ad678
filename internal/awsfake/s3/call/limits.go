package call

// Limits of objects and requests ("Amazon S3 multipart upload limits", "Working with object
// metadata", "Categorizing your storage using tags", Amazon S3 User Guide).
const (
	MaxSinglePut    = 5 << 30            // bytes in a PutObject, in a part, and in the source of a CopyObject
	MinPart         = 5 << 20            // bytes in every part but the last
	MaxParts        = 10000              // part numbers
	MaxObject       = 50_000_000_000_000 // bytes
	MaxUserMetadata = 2 << 10            // bytes in names and values
	MaxTags         = 10
	MaxPage         = 1000 // keys, parts or uploads
)

// Namespace is the XML namespace of S3 documents.
const Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
