package copier

import (
	"context"
	"time"

	"syncd/internal/admit"
	"syncd/internal/awserr"
	"syncd/internal/copier/request"
)

// conditional sends a write of the object under the condition that its standing asks for, as far as
// the service and the role let it be sent.
func (j *job) conditional(ctx context.Context, operation string, send func(context.Context, condition) error) error {
	known := j.conditions
	wanted := j.standing.verdict(j.object).condition
	now, err := known.of(ctx, operation)
	switch {
	case err != nil:
		return err
	case now == probing:
		return j.probe(ctx, operation, wanted, send)
	case now == ignored || wanted.match != "" && known.isMatchDenied():
		j.unconditional = ConditionsDenied
		if now == ignored {
			j.unconditional = ConditionsIgnored
		}
		return j.send(ctx, condition{}, send)
	}
	err = j.send(ctx, wanted, send)
	class := awserr.Classify(err)
	if wanted.match != "" && (err == nil || class == awserr.Precondition) {
		known.matched(true)
	}
	switch {
	case class == awserr.Denied && wanted.match != "" && known.mayBeForMatch(err, j.o.DestinationPlace.Bucket):
		if j.send(ctx, condition{}, send) != nil {
			return err
		}
		known.matched(false)
		j.unconditional = ConditionsDenied
	case class == awserr.Unsupported && !j.standing.looked:
		return errUnguarded
	case class == awserr.Unsupported:
		if j.send(ctx, condition{}, send) != nil {
			return err
		}
		known.learnt(operation, ignored)
		j.unconditional = ConditionsIgnored
	default:
		return err
	}
	return nil
}

// probe finds out how conditions are treated: a write under one that cannot hold is refused, and
// then made under the one that is wanted; or it happens, and nobody has looked at the condition.
func (j *job) probe(ctx context.Context, operation string, wanted condition, send func(context.Context, condition) error) error {
	known, learnt := j.conditions, unknown
	defer func() { known.learnt(operation, learnt) }()
	if known.isMatchDenied() {
		return j.withoutMatch(ctx, wanted, send)
	}
	err := j.send(ctx, never(), send)
	switch awserr.Classify(err) { //nolint:exhaustive // what a condition that does not hold is answered with
	case "":
		learnt, j.unconditional = ignored, ConditionsIgnored
		return nil
	case awserr.Unsupported:
		if err = j.send(ctx, condition{}, send); err == nil {
			learnt, j.unconditional = ignored, ConditionsIgnored
		}
		return err
	case awserr.Denied:
		if !known.mayBeForMatch(err, j.o.DestinationPlace.Bucket) || j.withoutMatch(ctx, wanted, send) != nil {
			return err
		}
		known.matched(false)
		return nil
	case awserr.Precondition, awserr.Gone, awserr.Conflict:
	default:
		return err
	}
	// The refusal may have been that of the source's condition. It was not if the same write
	// happens now.
	if err = j.send(ctx, wanted, send); err == nil {
		learnt = honoured
	}
	return err
}

// withoutMatch sends a write for a role that may not send If-Match.
func (j *job) withoutMatch(ctx context.Context, wanted condition, send func(context.Context, condition) error) error {
	if wanted.match != "" {
		wanted = condition{}
		j.unconditional = ConditionsDenied
	}
	return j.send(ctx, wanted, send)
}

// send sends one write, and notes when nobody knows what became of it.
func (j *job) send(ctx context.Context, under condition, send func(context.Context, condition) error) error {
	counting, sent := admit.Count(ctx)
	began := time.Now()
	j.began = began
	err := j.writer.Bounded(counting, func(ctx context.Context) error { return send(ctx, under) })
	if err != nil && (sent.Times() > 1 || request.IsUnclear(err)) && sent.Times() > 0 {
		j.standing.mayHaveWritten(began)
	}
	return err
}
