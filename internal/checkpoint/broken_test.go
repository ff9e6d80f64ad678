package checkpoint_test

import "errors"

// errBroken is what a test fails a write or a request with.
var errBroken = errors.New("broken")
