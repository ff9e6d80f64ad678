package fault

// Kind is what a fault does to a request.
type Kind int

// The kinds of fault. A fault answers without serving the request, unless the comment of its kind
// says otherwise.
const (
	None               Kind = iota // serve the request; for faults that only have a Do
	Throttle                       // 503 SlowDown; 400 Throttling from STS and KMS
	ThrottleKMS                    // 503 SlowDown with the message about KMS; 400 ThrottlingException from KMS
	InternalError                  // 500 InternalError
	Unavailable                    // 503 ServiceUnavailable
	ErrorIn200                     // 200 with an <Error> of code InternalError in the body
	AccessDenied                   // 403 AccessDenied without a reason
	ExpiredToken                   // 400 ExpiredToken
	BadSignature                   // 403 SignatureDoesNotMatch
	PreconditionFailed             // 412 PreconditionFailed
	Conflict                       // 409 ConditionalRequestConflict
	Reset                          // resets the connection without serving the request
	Timeout                        // hangs until the request's context ends
	CutBody                        // serves the request and breaks the connection halfway through the response body
	LoseAnswer                     // serves the request and breaks the connection before the response
	UnknownLength                  // serves the request without a Content-Length in the response
	IgnoreConditions               // serves the request as if it had no If-Match and no If-None-Match
	RefuseConditions               // 501 NotImplemented for conditional writes; serves all else
	NotFound                       // 404 NoSuchKey
	NotImplemented                 // 501 NotImplemented

	// The lies. See Lies.
	ForeignPage     // 200 with an HTML page, from a proxy in front of the service
	ForeignNotFound // 404 with an HTML page, from a proxy
	EmptyAnswer     // 200 with an empty body, from a proxy
	BareHeaders     // serves the request; the response has no body
	HalfAnswer      // serves the request; the response has only the first half of the body, with a matching length
	NoETag          // serves the request; the response has no ETag
	OtherETag       // serves the request; the response has the ETag of another version
	OtherAnswer     // repeats an earlier response of the operation for another key; does not serve
)

// Lies returns the kinds of fault whose response is false or does not come from the service. A
// proxy, a gateway, a cache or another vendor's server between the client and the service may
// answer like this.
func Lies() []Kind {
	return []Kind{
		ForeignPage, EmptyAnswer, BareHeaders, HalfAnswer, NoETag, OtherETag, OtherAnswer, ForeignNotFound, NotFound, Conflict, PreconditionFailed,
		NotImplemented,
	}
}

// String returns the name of a lie, or "" for other kinds.
func (k Kind) String() string {
	return map[Kind]string{
		ForeignPage: "foreign page", EmptyAnswer: "empty answer", BareHeaders: "headers without a body", HalfAnswer: "half a body",
		NoETag: "no ETag", OtherETag: "ETag of another version", OtherAnswer: "answer for another key", ForeignNotFound: "foreign 404",
		NotFound: "404", Conflict: "409", PreconditionFailed: "412", NotImplemented: "501",
	}[k]
}
