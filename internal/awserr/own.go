package awserr

import (
	"errors"
	"strings"
)

// CredentialsError says that no usable credentials could be had for a role, or for the ambient identity.
type CredentialsError struct {
	// Role is the ARN of the role that could not be assumed; empty for the ambient credentials.
	Role string
	// Source is where the ambient credentials should come from, as in "instance metadata"; empty when it is not known.
	Source string
	// Action is the IAM action that was refused, such as sts:AssumeRole; empty when it is not known.
	Action string
	// Hint says what to do, in one sentence; empty when there is nothing to say.
	Hint string
	// Err is the cause.
	Err error
}

// Error names the role, the action and the cause.
func (e *CredentialsError) Error() string {
	var b strings.Builder
	if e.Role == "" {
		b.WriteString("get ambient credentials")
		if e.Source != "" {
			b.WriteString(" from " + e.Source)
		}
	} else {
		b.WriteString("assume role " + e.Role)
	}
	if e.Action != "" {
		b.WriteString(": " + e.Action + " refused")
	}
	return b.String() + ": " + Brief(e.Err)
}

// Unwrap returns the cause.
func (e *CredentialsError) Unwrap() error { return e.Err }

// ExpiredError is the answer that the ambient credentials of a request have expired.
type ExpiredError struct {
	// Source is where they come from, and Hint what to do.
	Source, Hint string
	// Err is the answer.
	Err error
}

// Error is what the service said, and where the credentials come from.
func (e *ExpiredError) Error() string {
	return Brief(e.Err) + "; the credentials are from " + e.Source
}

// Unwrap returns the answer.
func (e *ExpiredError) Unwrap() error { return e.Err }

// EndpointError says that nothing may be sent to the endpoint of a service, so that nothing was.
type EndpointError struct {
	// Service is the service's name, as in STS, and Endpoint where it was to be asked.
	Service, Endpoint string
	// Problem says what is wrong with that, Hint what to do.
	Problem, Hint string
	// Unreachable says that it was tried, and that trying again is of no use.
	Unreachable bool
}

// Error names the service, the endpoint and the problem.
func (e *EndpointError) Error() string {
	return "send to " + e.Service + " at " + e.Endpoint + ": " + e.Problem
}

// SettingError says that a variable of the environment, or what it names, is none that requests can be sent with.
type SettingError struct {
	// Name is the variable's name, as in HTTPS_PROXY; its value may hold a password.
	Name string
	// Problem says what is wrong with it, Hint what to do.
	Problem, Hint string
}

// Error names the variable and the problem.
func (e *SettingError) Error() string { return e.Name + ": " + e.Problem }

// AnswerError says that a service answered success without what a true answer of the operation carries. Nothing is known of
// what became of the request: it may have been carried out.
type AnswerError struct {
	// Operation is the operation's name, as in CopyObject.
	Operation string
	// Problem says what is wrong with the answer.
	Problem string
	// Class is Precondition for the answer to a reading of another version than the one asked for, else Transient.
	Class Class
	// Foreign says that the answer has no request id, as one that a proxy has made up.
	Foreign bool
}

// Error names the operation and the problem.
func (e *AnswerError) Error() string {
	text := e.Operation + " was answered: " + e.Problem
	if e.Foreign {
		text += "; the answer has no request id: a proxy or a gateway before the service may have given it"
	}
	return text
}

// classifyOwn is the class of the errors of this package, which their makers have made sure of. An SDK's deadline for credentials is none
// of ours, so what it cancels is not canceled.
func classifyOwn(err error) Class {
	if _, ok := errors.AsType[*CredentialsError](err); ok {
		return Credentials
	}
	if _, ok := errors.AsType[*EndpointError](err); ok {
		return Credentials
	}
	if _, ok := errors.AsType[*SettingError](err); ok {
		return Credentials
	}
	if answer, ok := errors.AsType[*AnswerError](err); ok {
		return answer.Class
	}
	if late, ok := errors.AsType[*TimeoutError](err); ok {
		if late.Unsent {
			return Credentials
		}
		return Transient
	}
	if answer, ok := errors.AsType[*ForeignError](err); ok {
		return classOfForeign(answer.Status)
	}
	if foreign(err) {
		return Transient
	}
	return Unknown
}

// ownError returns the error of this package that tells the most, nil for none.
func ownError(err error) error {
	if c, ok := errors.AsType[*CredentialsError](err); ok {
		return c
	}
	if expired, ok := errors.AsType[*ExpiredError](err); ok {
		return expired
	}
	if endpoint, ok := errors.AsType[*EndpointError](err); ok {
		return endpoint
	}
	if setting, ok := errors.AsType[*SettingError](err); ok {
		return setting
	}
	if late, ok := errors.AsType[*TimeoutError](err); ok {
		return late
	}
	if answer, ok := errors.AsType[*ForeignError](err); ok {
		return answer
	}
	if answer, ok := errors.AsType[*AnswerError](err); ok {
		return answer
	}
	return nil
}

// Plain returns err with the text of Brief. What it wraps stays what it was, so that it is classified and unwrapped alike.
func Plain(err error) error {
	if err == nil {
		return nil
	}
	return &plainError{err}
}

type plainError struct{ err error }

func (e *plainError) Error() string { return Brief(e.err) }

func (e *plainError) Unwrap() error { return e.err }

// AloneError is an answer that would be [Fatal] but for the proof that the service takes other requests under the same
// credentials: it is about one object.
type AloneError struct {
	// Err is the answer.
	Err error
}

// Error is the answer's text.
func (e *AloneError) Error() string { return Brief(e.Err) }

// Unwrap returns the answer.
func (e *AloneError) Unwrap() error { return e.Err }
