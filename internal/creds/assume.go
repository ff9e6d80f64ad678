package creds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"syncd/config"
	"syncd/config/secret"
	"syncd/internal/awserr"
	"syncd/internal/deadline"
)

const (
	// assumeTimeout limits one AssumeRole with its retries; the SDK would wait forever for a
	// response.
	assumeTimeout = time.Minute
	// askTimeout limits one attempt, so that a silent connection leaves time for another attempt.
	askTimeout = 25 * time.Second
)

var errNoPolicy = errors.New("scoped session requested, but no policy was provided")

type assumeAPI interface {
	AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, opts ...func(*sts.Options)) (*sts.AssumeRoleOutput, error)
}

// assumer assumes one role.
type assumer struct {
	name   string // name in the configuration
	role   config.Role
	client assumeAPI
	o      Options
}

// fixed returns false: each session has new credentials.
func (a *assumer) fixed() bool { return false }

// expired returns the response unchanged.
func (a *assumer) expired(answer error) error { return answer }

// grant assumes the role and returns the session's credentials.
func (a *assumer) grant(ctx context.Context, _ aws.Credentials) (grant, error) {
	externalID, err := a.role.ExternalID.Resolve(a.o.LookupEnv, a.o.ReadFile)
	if err != nil {
		return grant{}, &awserr.CredentialsError{Role: a.role.ARN, Err: err, Hint: "check external_id of the role"}
	}
	in := a.input(externalID)
	if in.Policy, err = a.policy(); err != nil {
		return grant{}, &awserr.CredentialsError{Role: a.role.ARN, Err: err, Hint: "use session_policy none, or make the mapping's prefixes shorter"}
	}
	var out *sts.AssumeRoleOutput
	err = deadline.Do(ctx, assumeTimeout, func(ctx context.Context) (err error) {
		out, err = a.client.AssumeRole(ctx, in)
		return err
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return grant{}, err // the caller's context ended
	case err != nil:
		return grant{}, a.refused(err, externalID)
	}
	c := out.Credentials // not nil: the client rejects responses without credentials
	return grant{aws.Credentials{
		AccessKeyID: aws.ToString(c.AccessKeyId), SecretAccessKey: aws.ToString(c.SecretAccessKey),
		SessionToken: aws.ToString(c.SessionToken), CanExpire: true, Expires: aws.ToTime(c.Expiration),
		Source: "syncd", AccountID: a.role.Account(),
	}, a.length(out)}, nil
}

// length returns how long a new session lasts: the time from the Date header of the response to the
// Expiration in its body. Both are times on the clock of STS. If they contradict each other, the
// session is assumed to have the requested duration, and its Expiration is used to measure the
// clock skew.
func (a *assumer) length(out *sts.AssumeRoleOutput) time.Duration {
	asked, end := a.role.Duration.Duration(), aws.ToTime(out.Credentials.Expiration)
	given, ok := awsmiddleware.GetServerTime(out.ResultMetadata)
	switch length := end.Sub(given); {
	case !ok:
	case length > 0:
		a.o.Shared.Clock.noteSession(nil, a.o.Logger)
		return min(length, asked)
	default:
		ahead := a.o.Now().Add(asked).Sub(end)
		a.o.Shared.Clock.noteSession(&ahead, a.o.Logger)
	}
	return asked
}

func (a *assumer) input(externalID secret.Secret) *sts.AssumeRoleInput {
	in := &sts.AssumeRoleInput{
		RoleArn: &a.role.ARN, RoleSessionName: &a.role.SessionName,
		DurationSeconds:   aws.Int32(int32(a.role.Duration.Duration() / time.Second)), //nolint:gosec // the configuration bounds it to 12 h
		TransitiveTagKeys: a.role.TransitiveTags,
	}
	if externalID != "" {
		in.ExternalId = aws.String(externalID.Reveal())
	}
	if a.role.SourceIdentity != "" {
		in.SourceIdentity = &a.role.SourceIdentity
	}
	for _, key := range slices.Sorted(maps.Keys(a.role.Tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: &key, Value: aws.String(a.role.Tags[key])})
	}
	return in
}

// policy returns the session policy, or nil if the role does not request one.
func (a *assumer) policy() (*string, error) {
	if a.role.SessionPolicy != config.SessionPolicyScoped {
		return nil, nil
	}
	if a.o.SessionPolicy == nil {
		return nil, errNoPolicy
	}
	text, err := a.o.SessionPolicy(a.name)
	return &text, err
}

// refused returns an error that names the role, the refused action and what to check. STS returns
// the same message for a wrong ExternalId, missing trust and a role that does not exist, so the
// hint lists these causes, the most likely first.
func (a *assumer) refused(err error, externalID secret.Secret) error {
	if base, ok := errors.AsType[*awserr.CredentialsError](err); ok {
		return fmt.Errorf("assume role %s through another role: %w", a.role.ARN, base)
	}
	failure := &awserr.CredentialsError{Role: a.role.ARN, Action: "sts:AssumeRole", Err: redact(err, externalID)}
	switch {
	case awserr.Code(err) == "":
		failure.Action, failure.Hint = "", cmp.Or(awserr.Hint(err), "check the network path to STS and the configured STS endpoint")
	case awserr.Classify(err) == awserr.Denied:
		failure.Action, failure.Hint = a.denied(err)
	case strings.Contains(err.Error(), "role chaining"):
		failure.Hint = "set duration to at most 1h: AWS limits the session of a role that is assumed through another role to 1h"
	case strings.Contains(err.Error(), "MaxSessionDuration"):
		failure.Hint = "lower the role's duration, or raise MaxSessionDuration on the role"
	case awserr.Classify(err) == awserr.Credentials, awserr.Classify(err) == awserr.Expired:
		failure.Hint = cmp.Or(awserr.Hint(err), ambientHint)
	}
	return failure
}

// denied extracts the refused action from an access-denied message, and returns a hint on what to
// check.
func (a *assumer) denied(err error) (action, hint string) {
	caller := "the caller"
	if m := regexp.MustCompile(`User: (arn:\S+) is not authorized`).FindStringSubmatch(err.Error()); m != nil {
		caller = m[1]
	}
	if action, _ = awserr.Refused(err); !strings.HasPrefix(action, "sts:") {
		action = "sts:AssumeRole"
	}
	switch action {
	case "sts:TagSession":
		return action, fmt.Sprintf("allow sts:TagSession to %s in the role's trust policy, in a statement without a condition on sts:ExternalId, and in the caller's own policy", caller)
	case "sts:SetSourceIdentity":
		return action, fmt.Sprintf("allow sts:SetSourceIdentity to %s in the role's trust policy and in the caller's own policy", caller)
	}
	matching := "the trust policy"
	if a.role.ExternalID.Sent() {
		matching = "external_id matches the trust policy, that the trust policy"
	}
	return action, fmt.Sprintf("check that %s trusts %s, that the caller's own policy allows sts:AssumeRole on the role, and that the role exists", matching, caller)
}

// redact returns err with the ExternalId removed from its text: a validation error of STS quotes
// the rejected value, and a proxy may quote the request, which contains the value in encoded form.
func redact(err error, externalID secret.Secret) error {
	if externalID == "" {
		return err
	}
	var forms []string
	for _, form := range []func(string) string{strings.Clone, url.QueryEscape, url.PathEscape} {
		forms = append(forms, form(externalID.Reveal()), externalID.String())
	}
	text := strings.NewReplacer(forms...).Replace(err.Error())
	if text == err.Error() {
		return err
	}
	return &redactedError{text: text}
}

// redactedError does not wrap its cause on purpose: the text of the cause contains a secret.
type redactedError struct {
	text string
}

func (e *redactedError) Error() string { return e.text }
