package fault

import (
	"context"
	"net/http"

	"syncd/internal/awsfake/wire"
)

// Refusal returns the error that a fault returns instead of the service's response, or nil if the
// service must serve the request.
func (k Kind) Refusal(ctx context.Context, t Target) error {
	switch k {
	case Throttle:
		return t.Protocol.Throttled()
	case ThrottleKMS:
		return t.Protocol.ThrottledKMS()
	case InternalError:
		return &wire.Error{Status: 500, Code: "InternalError", Message: "We encountered an internal error. Please try again."}
	case Unavailable:
		return &wire.Error{Status: 503, Code: "ServiceUnavailable", Message: "Service is unable to handle request."}
	case ErrorIn200:
		return &wire.Error{Status: 200, Code: "InternalError", Message: "We encountered an internal error. Please try again."}
	case AccessDenied:
		return t.Protocol.AccessDenied()
	case ExpiredToken:
		return t.Protocol.ExpiredToken()
	case BadSignature:
		return wire.Refuse(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	case PreconditionFailed:
		return wire.ErrPreconditionFailed("")
	case Conflict:
		return wire.ErrConflict()
	case Reset:
		return &ConnectionError{errReset()}
	case Timeout:
		<-ctx.Done()
		return &ConnectionError{ctx.Err()}
	case RefuseConditions:
		if t.Header.Get("If-Match")+t.Header.Get("If-None-Match") != "" {
			return wire.ErrNotImplemented("conditions")
		}
	case NotFound:
		return wire.ErrNoSuchKey(t.Key)
	case NotImplemented:
		return wire.ErrNotImplemented(t.Operation)
	case None, IgnoreConditions, CutBody, LoseAnswer, UnknownLength, ForeignPage, ForeignNotFound, EmptyAnswer, BareHeaders, HalfAnswer, NoETag, OtherETag, OtherAnswer:
	}
	return nil
}

// After returns the response as changed by a fault.
func (f *Faults) After(k Kind, t Target, res *wire.Response) (*wire.Response, error) {
	if k == LoseAnswer || k == CutBody && res.Body == nil {
		return nil, errReset()
	}
	if k == CutBody {
		res.Body = &cutReader{r: res.Body, left: res.Size / 2}
	}
	if k == UnknownLength {
		res.Size = -1
	}
	return f.distorted(k, t, res)
}
