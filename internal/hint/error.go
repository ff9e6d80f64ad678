// Package hint says what a person likely meant: an [Error] carries what is wrong with a text and
// what to write instead, and [Nearest] finds the word that a mistyped one was.
//
// It promises that a hint is a sentence for people, that it names one word or lists them all, and
// that nothing is suggested which is not like the text. What a text has to be is left to the
// packages that read it: they make the errors, and those who know where the text stands (a line of
// a file, a flag) print the two parts where they belong.
//
// Two words: the problem is what is wrong, in lower case and without a full stop; the hint is what
// to write instead, and may be empty.
package hint

// Error is why a text was refused, with what to write instead.
type Error struct{ Problem, Hint string }

// Error writes the problem and the hint on one line.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Problem
	}
	return e.Problem + "; " + e.Hint
}

// New returns an [Error].
func New(problem, instead string) error { return &Error{problem, instead} }
