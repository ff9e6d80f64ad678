package checkpointtest

import "errors"

// ErrBroken is what a test fails a write or a request with.
var ErrBroken = errors.New("broken")
