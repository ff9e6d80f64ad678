//go:build race

package throttle_test

import "time"

// watched is the time over which rates are measured. It is shorter under the race detector, where
// each measured second takes ten times as long to run.
const watched = 40 * time.Second
