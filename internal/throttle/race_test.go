//go:build race

package throttle_test

import "time"

// watched is the time for which rates are measured. The race detector makes a second ten times as
// dear, and needs fewer.
const watched = 40 * time.Second
