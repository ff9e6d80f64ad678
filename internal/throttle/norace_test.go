//go:build !race

package throttle_test

import "time"

// watched is the time for which rates are measured.
const watched = time.Minute - settled
