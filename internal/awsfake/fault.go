package awsfake

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// FaultKind is what a fault does to a request.
type FaultKind int

// The kinds of fault. Those that say nothing else answer without serving the request.
const (
	None               FaultKind = iota // serve the request: for faults that only Do something
	Throttle                            // 503 SlowDown; 400 Throttling from STS and KMS
	ThrottleKMS                         // 503 SlowDown with the sentence about KMS; 400 ThrottlingException from KMS
	InternalError                       // 500 InternalError
	Unavailable                         // 503 ServiceUnavailable
	ErrorIn200                          // 200 with an <Error> of code InternalError as its body
	AccessDenied                        // 403 AccessDenied without a reason
	ExpiredToken                        // 400 ExpiredToken
	BadSignature                        // 403 SignatureDoesNotMatch
	PreconditionFailed                  // 412 PreconditionFailed
	Conflict                            // 409 ConditionalRequestConflict
	Reset                               // the connection is reset and nothing is done
	Timeout                             // nothing happens until the request's context ends
	CutBody                             // the request is served, and the connection breaks halfway through the answer's body
	LoseAnswer                          // the request is served, and the connection breaks before the answer
	UnknownLength                       // the request is served, and its answer has no Content-Length
	IgnoreConditions                    // the request is served as if it had no If-Match and no If-None-Match
	RefuseConditions                    // 501 NotImplemented where a write has one of them, else it is served
	NotFound                            // 404 NoSuchKey
	NotImplemented                      // 501 NotImplemented

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

// Fault is a misbehaviour hung on the requests that match it.
type Fault struct {
	// Operation, Bucket and Key choose the requests; "" is any, and Key is the exact key (of a copy: the destination's).
	Operation, Bucket, Key string
	// Skip matches pass untouched; then Times matches are hit (0: all that follow).
	Skip, Times int
	// Probability, when it is between 0 and 1, hits that share of the matches.
	Probability float64
	Kind        FaultKind
	// Do runs before the request is served, for instance to overwrite the object that is about to be copied.
	Do func()
}

// Inject hangs a fault on the requests to come, until remove is called.
func (c *Cloud) Inject(f Fault) (remove func()) {
	armed := &armedFault{Fault: f}
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	c.faults.armed = append(c.faults.armed, armed)
	return func() {
		c.faults.mu.Lock()
		defer c.faults.mu.Unlock()
		c.faults.armed = slices.DeleteFunc(c.faults.armed, func(a *armedFault) bool { return a == armed })
	}
}

type faults struct {
	mu     sync.Mutex
	armed  []*armedFault
	stored map[string]stored // by operation
}

type armedFault struct {
	Fault
	matched, hit int
}

// hitting returns the faults that hit this request, and counts them as spent.
func (f *faults) hitting(q *request, chance func() float64) (hits []Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.armed {
		if a.hits(q, chance) {
			hits = append(hits, a.Fault)
		}
	}
	return hits
}

func (a *armedFault) hits(q *request, chance func() float64) bool {
	if a.Operation != "" && a.Operation != q.operation || a.Bucket != "" && a.Bucket != q.bucket || a.Key != "" && a.Key != q.key {
		return false
	}
	a.matched++
	if a.matched <= a.Skip || a.Times > 0 && a.hit >= a.Times {
		return false
	}
	if a.Probability > 0 && a.Probability < 1 && chance() >= a.Probability {
		return false
	}
	a.hit++
	return true
}

// strike runs the faults' actions and returns the kind of the first that has one.
func strike(hits []Fault) FaultKind {
	kind := None
	for _, f := range hits {
		if f.Do != nil {
			f.Do()
		}
		if kind == None {
			kind = f.Kind
		}
	}
	return kind
}

// errReset is what a client sees of a connection that the other side reset.
func errReset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// answer is what a fault answers in the place of the service; nil means that the request is served.
func (k FaultKind) answer(ctx context.Context, q *request) error {
	switch k {
	case Throttle:
		return throttled(q.service)
	case ThrottleKMS:
		return throttledKMS(q.service)
	case InternalError:
		return &apiError{status: 500, code: "InternalError", message: "We encountered an internal error. Please try again."}
	case Unavailable:
		return &apiError{status: 503, code: "ServiceUnavailable", message: "Service is unable to handle request."}
	case ErrorIn200:
		return &apiError{status: 200, code: "InternalError", message: "We encountered an internal error. Please try again."}
	case AccessDenied:
		return errAccessDenied(q.service)
	case ExpiredToken:
		return errExpiredToken(q.service)
	case BadSignature:
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	case PreconditionFailed:
		return errPreconditionFailed("")
	case Conflict:
		return errConflict()
	case Reset:
		return &connectionError{errReset()}
	case Timeout:
		<-ctx.Done()
		return &connectionError{ctx.Err()}
	case IgnoreConditions:
		q.ignoresConditions = true
	case RefuseConditions:
		if q.http.Header.Get("If-Match")+q.http.Header.Get("If-None-Match") != "" {
			return errNotImplemented("conditions")
		}
	case NotFound:
		return errNoSuchKey(q.key)
	case NotImplemented:
		return errNotImplemented(q.operation)
	case None, CutBody, LoseAnswer, UnknownLength, ForeignPage, ForeignNotFound, EmptyAnswer, BareHeaders, HalfAnswer, NoETag, OtherETag, OtherAnswer:
	}
	return nil
}

// after is the answer as a fault lets it through.
func (k FaultKind) after(q *request, res *response) (*response, error) {
	if k == LoseAnswer || k == CutBody && res.body == nil {
		return nil, errReset()
	}
	if k == CutBody {
		res.body = &cutReader{r: res.body, left: res.size / 2}
	}
	if k == UnknownLength {
		res.size = -1
	}
	return k.distorted(q, res)
}

// connectionError is an error of the connection instead of an answer.
type connectionError struct{ err error }

func (b *connectionError) Error() string { return b.err.Error() }
func (b *connectionError) Unwrap() error { return b.err }

// cutReader breaks after its bytes are spent.
type cutReader struct {
	r    io.Reader
	left int64
}

func (c *cutReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// pause waits, or returns the context's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
