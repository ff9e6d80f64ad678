package awserr

import (
	"strings"
)

// CredentialsError says that no usable credentials could be had for a role, or for the ambient
// identity.
type CredentialsError struct {
	// Role is the ARN of the role that could not be assumed; empty for the ambient credentials.
	Role string
	// Source is where the ambient credentials should come from, as in "instance metadata"; empty
	// when it is not known.
	Source string
	// Action is the IAM action that was refused, such as sts:AssumeRole; empty when it is not
	// known.
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

// SettingError says that a variable of the environment, or what it names, is none that requests can
// be sent with.
type SettingError struct {
	// Name is the variable's name, as in HTTPS_PROXY; its value may hold a password.
	Name string
	// Problem says what is wrong with it, Hint what to do.
	Problem, Hint string
}

// Error names the variable and the problem.
func (e *SettingError) Error() string { return e.Name + ": " + e.Problem }

// AloneError is an answer that would be [Fatal] but for the proof that the service takes other
// requests under the same credentials: it is about one object.
type AloneError struct {
	// Err is the answer.
	Err error
}

// Error is the answer's text.
func (e *AloneError) Error() string { return Brief(e.Err) }

// Unwrap returns the answer.
func (e *AloneError) Unwrap() error { return e.Err }
