package checkpointtest

import "errors"

// ErrBroken is the error with which tests fail a write or a request.
var ErrBroken = errors.New("broken")
