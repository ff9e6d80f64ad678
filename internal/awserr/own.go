package awserr

import (
	"strings"
)

// CredentialsError means that there are no usable credentials for a role, or no usable ambient
// credentials.
type CredentialsError struct {
	// Role is the ARN of the role that could not be assumed; empty for the ambient credentials.
	Role string
	// Source is where the ambient credentials should come from, as in "instance metadata"; empty if
	// not known.
	Source string
	// Action is the IAM action that was refused, such as sts:AssumeRole; empty if not known.
	Action string
	// Hint says what to do, in one sentence; it may be empty.
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

// ExpiredError means that a service rejected the ambient credentials of a request as expired.
type ExpiredError struct {
	// Source is where the credentials come from, and Hint what to do.
	Source, Hint string
	// Err is the response.
	Err error
}

// Error returns the service's response, and where the credentials come from.
func (e *ExpiredError) Error() string {
	return Brief(e.Err) + "; the credentials are from " + e.Source
}

// Unwrap returns the response.
func (e *ExpiredError) Unwrap() error { return e.Err }

// EndpointError means that a request must not or cannot be sent to the endpoint of a service.
type EndpointError struct {
	// Service is the service's name, as in STS, and Endpoint where the request would have been
	// sent.
	Service, Endpoint string
	// Problem says what is wrong with the endpoint, and Hint what to do.
	Problem, Hint string
	// Unreachable means that sending was tried and failed, and that retrying is pointless.
	Unreachable bool
}

// Error names the service, the endpoint and the problem.
func (e *EndpointError) Error() string {
	return "send to " + e.Service + " at " + e.Endpoint + ": " + e.Problem
}

// SettingError means that an environment variable, or the file that it names, is invalid, so that
// no requests can be sent.
type SettingError struct {
	// Name is the variable's name, as in HTTPS_PROXY. The error does not contain its value, which
	// may contain a password.
	Name string
	// Problem says what is wrong with the variable or its file, and Hint what to do.
	Problem, Hint string
}

// Error names the variable and the problem.
func (e *SettingError) Error() string { return e.Name + ": " + e.Problem }

// AloneError is a response about one object. It wraps an error that would be [Fatal], but the
// service is known to accept other requests with the same credentials.
type AloneError struct {
	// Err is the response.
	Err error
}

// Error returns the text of the response.
func (e *AloneError) Error() string { return Brief(e.Err) }

// Unwrap returns the response.
func (e *AloneError) Unwrap() error { return e.Err }
