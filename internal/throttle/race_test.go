//go:build race

package throttle_test

import "time"

// watched is the time over which rates are measured. Under the race detector a second is ten times
// as expensive, and fewer are enough.
const watched = 40 * time.Second
