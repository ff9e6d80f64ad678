// Package hint suggests what a user probably intended: an [Error] says what is wrong with a text
// and what to write instead, and [Nearest] finds the word closest to a mistyped one.
//
// A hint suggests the word that is most similar to the text, or lists all words if none is similar.
// The packages that parse a text create the errors. Code that knows where the text comes from (a
// line of a file, a flag) prints the problem and the hint.
//
// Two terms: the problem is what is wrong, in lower case and without a full stop; the hint is what
// to write instead, and may be empty.
package hint

// Error says why a text was rejected, and what to write instead.
type Error struct{ Problem, Hint string }

// Error returns the problem and the hint on one line.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Problem
	}
	return e.Problem + "; " + e.Hint
}

// New returns an [Error] with a problem and a hint.
func New(problem, instead string) error { return &Error{problem, instead} }
