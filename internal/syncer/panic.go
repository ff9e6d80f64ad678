package syncer

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// PanicError is a panic in a pass, returned as the error of that pass. A bug that affects one
// mapping must not end the process, which also serves other mappings.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("run pass: panic: %v", e.Value) }

// guarded calls do. If do panics, guarded returns a *PanicError. Every goroutine of a pass must
// call its code through guarded.
func guarded(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return do()
}

// logPanic logs the stack of a panic. The error itself is returned like any other.
func logPanic(log *slog.Logger, err error) {
	if panicked, ok := errors.AsType[*PanicError](err); ok {
		log.Error("pass panicked", "err", panicked, "stack", string(panicked.Stack))
	}
}
