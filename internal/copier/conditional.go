package copier

import (
	"context"
	"time"

	"syncd/internal/admit"
	"syncd/internal/awserr"
	"syncd/internal/copier/precondition"
	"syncd/internal/copier/request"
)

// conditional sends a write of the object with the condition that the job's standing requires, if
// the service and the role allow conditions.
func (j *job) conditional(ctx context.Context, operation string, send func(context.Context, precondition.Condition) error) error {
	known := j.conditions
	wanted := j.standing.verdict(j.object).condition
	now, err := known.Of(ctx, operation)
	switch {
	case err != nil:
		return err
	case now == precondition.Probing:
		return j.probe(ctx, operation, wanted, send)
	case now == precondition.Ignored || wanted.Match != "" && known.IsMatchDenied():
		j.unconditional = ConditionsDenied
		if now == precondition.Ignored {
			j.unconditional = ConditionsIgnored
		}
		return j.send(ctx, precondition.Condition{}, send)
	}
	err = j.send(ctx, wanted, send)
	class := awserr.Classify(err)
	if wanted.Match != "" && (err == nil || class == awserr.Precondition) {
		known.Matched(true)
	}
	switch {
	case class == awserr.Denied && wanted.Match != "" && known.MayBeForMatch(err, j.o.DestinationPlace.Bucket):
		if j.send(ctx, precondition.Condition{}, send) != nil {
			return err
		}
		known.Matched(false)
		j.unconditional = ConditionsDenied
	case class == awserr.Unsupported && !j.standing.looked:
		return errUnguarded
	case class == awserr.Unsupported:
		if j.send(ctx, precondition.Condition{}, send) != nil {
			return err
		}
		known.Learnt(operation, precondition.Ignored)
		j.unconditional = ConditionsIgnored
	default:
		return err
	}
	return nil
}

// probe tests how the service treats conditions. It sends a write with a condition that is never
// true. If the service refuses this write, probe sends the write again with the wanted condition.
// If the write succeeds, the service ignores conditions.
func (j *job) probe(ctx context.Context, operation string, wanted precondition.Condition, send func(context.Context, precondition.Condition) error) error {
	known, learnt := j.conditions, precondition.Unknown
	defer func() { known.Learnt(operation, learnt) }()
	if known.IsMatchDenied() {
		return j.withoutMatch(ctx, wanted, send)
	}
	err := j.send(ctx, precondition.Never(), send)
	switch awserr.Classify(err) { //nolint:exhaustive // the possible responses if the condition is false
	case "":
		learnt, j.unconditional = precondition.Ignored, ConditionsIgnored
		return nil
	case awserr.Unsupported:
		if err = j.send(ctx, precondition.Condition{}, send); err == nil {
			learnt, j.unconditional = precondition.Ignored, ConditionsIgnored
		}
		return err
	case awserr.Denied:
		if !known.MayBeForMatch(err, j.o.DestinationPlace.Bucket) || j.withoutMatch(ctx, wanted, send) != nil {
			return err
		}
		known.Matched(false)
		return nil
	case awserr.Precondition, awserr.Gone, awserr.Conflict:
	default:
		return err
	}
	// The condition on the source may have caused the refusal. If the same write succeeds with the
	// wanted condition, the condition on the destination was the cause.
	if err = j.send(ctx, wanted, send); err == nil {
		learnt = precondition.Honoured
	}
	return err
}

// withoutMatch sends a write for a role that has no permission to use If-Match.
func (j *job) withoutMatch(ctx context.Context, wanted precondition.Condition, send func(context.Context, precondition.Condition) error) error {
	if wanted.Match != "" {
		wanted = precondition.Condition{}
		j.unconditional = ConditionsDenied
	}
	return j.send(ctx, wanted, send)
}

// send sends one write. If the outcome of the write is unknown, send records that fact.
func (j *job) send(ctx context.Context, under precondition.Condition, send func(context.Context, precondition.Condition) error) error {
	counting, sent := admit.Count(ctx)
	began := time.Now()
	j.began = began
	err := j.writer.Bounded(counting, func(ctx context.Context) error { return send(ctx, under) })
	if err != nil && (sent.Times() > 1 || request.IsUnclear(err)) && sent.Times() > 0 {
		j.standing.mayHaveWritten(began)
	}
	return err
}
