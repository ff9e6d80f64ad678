//go:build !race

package throttle_test

import "time"

// watched is the time over which rates are measured.
const watched = time.Minute - settled
