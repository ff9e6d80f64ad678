package awsfake

import (
	"context"
	"net/http"
)

// refusal is what a fault answers in the place of the service; nil means that the request is served.
func (k FaultKind) refusal(ctx context.Context, t target) error {
	switch k {
	case Throttle:
		return t.protocol.throttled()
	case ThrottleKMS:
		return t.protocol.throttledKMS()
	case InternalError:
		return &apiError{status: 500, code: "InternalError", message: "We encountered an internal error. Please try again."}
	case Unavailable:
		return &apiError{status: 503, code: "ServiceUnavailable", message: "Service is unable to handle request."}
	case ErrorIn200:
		return &apiError{status: 200, code: "InternalError", message: "We encountered an internal error. Please try again."}
	case AccessDenied:
		return t.protocol.accessDenied()
	case ExpiredToken:
		return t.protocol.expiredToken()
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
	case RefuseConditions:
		if t.header.Get("If-Match")+t.header.Get("If-None-Match") != "" {
			return errNotImplemented("conditions")
		}
	case NotFound:
		return errNoSuchKey(t.key)
	case NotImplemented:
		return errNotImplemented(t.operation)
	case None, IgnoreConditions, CutBody, LoseAnswer, UnknownLength, ForeignPage, ForeignNotFound, EmptyAnswer, BareHeaders, HalfAnswer, NoETag, OtherETag, OtherAnswer:
	}
	return nil
}

// after is the answer as a fault lets it through.
func (f *faults) after(k FaultKind, t target, res *response) (*response, error) {
	if k == LoseAnswer || k == CutBody && res.body == nil {
		return nil, errReset()
	}
	if k == CutBody {
		res.body = &cutReader{r: res.body, left: res.size / 2}
	}
	if k == UnknownLength {
		res.size = -1
	}
	return f.distorted(k, t, res)
}
