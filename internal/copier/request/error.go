package request

import (
	"fmt"
	"runtime/debug"

	"syncd/internal/awserr"
)

// ObjectError is the failure of one object.
type ObjectError struct {
	// Op is what was being done: copy, look up, read tags of, ...
	Op string
	// Bucket and Key name the object.
	Bucket, Key string
	// Err is the cause.
	Err error
	// Hint is what else there is to know or to do, "" for nothing.
	Hint string
}

// Error names the operation, the object, the cause and the hint.
func (e *ObjectError) Error() string {
	text := fmt.Sprintf("%s s3://%s/%q: %s", e.Op, e.Bucket, e.Key, awserr.Brief(e.Err))
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Unwrap returns the cause.
func (e *ObjectError) Unwrap() error { return e.Err }

// PanicError is a panic while one object was copied, returned as the failure of that object: a bug
// that one object brings out must not end the process that copies all others.
type PanicError struct {
	// Value is what the panic was called with.
	Value any
	// Stack is where it was, as debug.Stack formats it.
	Stack []byte
}

// Error names the value, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("BUG: copying panicked: %v", e.Value) }

// Guard calls do for an object and returns a panic in it as an [*ObjectError]. Whatever runs in a
// goroutine of its own, or is called by one of somebody else's, needs it.
func Guard(bucket, key string, do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &ObjectError{Op: "copy", Bucket: bucket, Key: key, Err: &PanicError{Value: value, Stack: debug.Stack()}}
		}
	}()
	return do()
}
