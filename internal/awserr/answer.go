package awserr

// AnswerError says that a service answered success without what a true answer of the operation
// carries. Nothing is known of what became of the request: it may have been carried out.
type AnswerError struct {
	// Operation is the operation's name, as in CopyObject.
	Operation string
	// Problem says what is wrong with the answer.
	Problem string
	// Class is Precondition for the answer to a reading of another version than the one asked for,
	// else Transient.
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
