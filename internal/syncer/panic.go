package syncer

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// PanicError is a panic in a pass, returned as the failure of that pass: a bug that one mapping
// meets must not end the process that keeps the others.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("run pass: panic: %v", e.Value) }

// guarded calls do and returns a panic in it as an error. Every goroutine of a pass needs it for
// itself.
func guarded(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return do()
}

// logPanic logs where it was, once; the error itself goes the way of all errors.
func logPanic(log *slog.Logger, err error) {
	if panicked, ok := errors.AsType[*PanicError](err); ok {
		log.Error("pass panicked", "err", panicked, "stack", string(panicked.Stack))
	}
}
