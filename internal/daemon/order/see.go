package order

import (
	"context"
	"errors"
	"io/fs"

	"syncd/internal/control"
)

// see handles a request. A process that is standing by leaves it to the holder of the lease.
func (q *Queue) see(ctx context.Context, c control.Case, standsBy bool) {
	o := q.list.see(c)
	if standsBy {
		return
	}
	if o == nil {
		o = q.read(ctx, c)
	}
	if o == nil {
		return
	}
	isOpen, answer := q.list.add(c.ID, o)
	if answer != nil {
		q.reply(ctx, o, *answer)
	}
	if !isOpen {
		return
	}
	switch isPaused := q.o.Condition.Paused() != nil; {
	case o.request.What.IsMode():
		q.carryOut(ctx, o)
	case isPaused:
		q.refuse(ctx, o)
	case q.o.Holds():
		q.claim(ctx, o)
		q.o.Wake()
	default:
		q.o.Wake()
	}
}

// read reads a request, and refuses it if it is malformed.
func (q *Queue) read(ctx context.Context, c control.Case) *order {
	r, err := q.o.Desk.Request(ctx, c.Mapping, c.ID)
	_, isMalformed := errors.AsType[*control.MalformedError](err)
	switch {
	case err == nil:
		return &order{request: r, claims: c.Claims}
	case isMalformed:
		bad := control.Request{ID: c.ID, Mapping: c.Mapping, What: "unknown", Who: "unknown", At: c.At}
		q.o.Answer(ctx, bad, control.Answer{Outcome: control.Refused, Text: err.Error(), Hint: "send requests with the same version of syncd"})
	case !errors.Is(err, fs.ErrNotExist):
		q.o.Logger.Warn("request was not read", "id", c.ID, "err", err)
	}
	return nil
}
