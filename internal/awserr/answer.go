package awserr

// AnswerError means that a response reports success but lacks something that a real response to the
// operation contains. The outcome is unknown: the request may have been carried out.
type AnswerError struct {
	// Operation is the operation's name, as in CopyObject.
	Operation string
	// Problem says what is wrong with the response.
	Problem string
	// Class is Precondition if a read returned another version than the requested one, otherwise
	// Transient.
	Class Class
	// Foreign means that the response has no request id, so that the response may come from a
	// proxy.
	Foreign bool
}

// Error names the operation and the problem.
func (e *AnswerError) Error() string {
	text := "invalid response to " + e.Operation + ": " + e.Problem
	if e.Foreign {
		text += "; the response has no request id: it may come from a proxy or a gateway in front of the service"
	}
	return text
}
