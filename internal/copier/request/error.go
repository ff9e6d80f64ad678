package request

import (
	"fmt"
	"runtime/debug"

	"syncd/internal/awserr"
)

// ObjectError is the failure of one object.
type ObjectError struct {
	// Op is the operation: copy, look up, read tags of, ...
	Op string
	// Bucket and Key name the object.
	Bucket, Key string
	// Err is the cause.
	Err error
	// Hint is additional information or advice, "" for none.
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

// PanicError is a panic during the copy of one object. It is returned as a failure of that object,
// because a bug that one object triggers must not end the process that also copies other objects.
type PanicError struct {
	// Value is the value passed to panic.
	Value any
	// Stack is the stack trace, as formatted by debug.Stack.
	Stack []byte
}

// Error returns the value, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("BUG: copying panicked: %v", e.Value) }

// Guard calls do for an object and returns a panic as an [*ObjectError]. Use it in every new
// goroutine, and in callbacks from goroutines of other packages.
func Guard(bucket, key string, do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &ObjectError{Op: "copy", Bucket: bucket, Key: key, Err: &PanicError{Value: value, Stack: debug.Stack()}}
		}
	}()
	return do()
}
