package fault

// Kind is what a fault does to a request.
type Kind int

// The kinds of fault. Those that say nothing else answer without serving the request.
const (
	None               Kind = iota // serve the request: for faults that only Do something
	Throttle                       // 503 SlowDown; 400 Throttling from STS and KMS
	ThrottleKMS                    // 503 SlowDown with the sentence about KMS; 400 ThrottlingException from KMS
	InternalError                  // 500 InternalError
	Unavailable                    // 503 ServiceUnavailable
	ErrorIn200                     // 200 with an <Error> of code InternalError as its body
	AccessDenied                   // 403 AccessDenied without a reason
	ExpiredToken                   // 400 ExpiredToken
	BadSignature                   // 403 SignatureDoesNotMatch
	PreconditionFailed             // 412 PreconditionFailed
	Conflict                       // 409 ConditionalRequestConflict
	Reset                          // the connection is reset and nothing is done
	Timeout                        // nothing happens until the request's context ends
	CutBody                        // the request is served, and the connection breaks halfway through the answer's body
	LoseAnswer                     // the request is served, and the connection breaks before the answer
	UnknownLength                  // the request is served, and its answer has no Content-Length
	IgnoreConditions               // the request is served as if it had no If-Match and no If-None-Match
	RefuseConditions               // 501 NotImplemented where a write has one of them, else it is served
	NotFound                       // 404 NoSuchKey
	NotImplemented                 // 501 NotImplemented

	// The lies: see Lies.
	ForeignPage     // 200 with a page of HTML, of somebody before the service, who does nothing else
	ForeignNotFound // 404 with a page of HTML, likewise
	EmptyAnswer     // 200 with nothing at all, likewise
	BareHeaders     // the request is served, and its answer has no body
	HalfAnswer      // the request is served, and the first half of the answer's body is given for the whole
	NoETag          // the request is served, and its answer names no ETag
	OtherETag       // the request is served, and its answer names the ETag of another version
	OtherAnswer     // once one request of the operation is answered, later ones for other keys get that answer and are not served
)

// Lies returns the kinds of fault that are answers which are not true, or not those of the service:
// what a proxy, a gateway, a cache or a server of another make between a client and the service may
// answer.
func Lies() []Kind {
	return []Kind{
		ForeignPage, EmptyAnswer, BareHeaders, HalfAnswer, NoETag, OtherETag, OtherAnswer, ForeignNotFound, NotFound, Conflict, PreconditionFailed,
		NotImplemented,
	}
}

// String names the lies.
func (k Kind) String() string {
	return map[Kind]string{
		ForeignPage: "foreign page", EmptyAnswer: "empty answer", BareHeaders: "headers without a body", HalfAnswer: "half a body",
		NoETag: "no ETag", OtherETag: "ETag of another version", OtherAnswer: "answer for another key", ForeignNotFound: "foreign 404",
		NotFound: "404", Conflict: "409", PreconditionFailed: "412", NotImplemented: "501",
	}[k]
}
