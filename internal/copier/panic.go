package copier

import (
	"fmt"
	"runtime/debug"
)

// PanicError is a panic while one object was copied, told as the failure of that object: a bug that one object brings out
// must not end the process that copies all others.
type PanicError struct {
	// Value is what the panic was called with.
	Value any
	// Stack is where it was, as debug.Stack formats it.
	Stack []byte
}

// Error names the value, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("BUG: copying panicked: %v", e.Value) }

// guard calls do for an object and returns a panic in it as an *ObjectError. Whatever runs in a goroutine of its own, or is
// called by one of somebody else's, needs it.
func (c *Copier) guard(key string, do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = c.failed("copy", key, &PanicError{Value: value, Stack: debug.Stack()})
		}
	}()
	return do()
}
