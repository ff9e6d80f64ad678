package assembly

import (
	"math"
	"runtime"
	"runtime/debug"

	"syncd/config"
	"syncd/config/value"
)

const (
	// passesPerCPU is how many passes run at once for each CPU where memory does not bound them: a
	// pass waits for answers most of the time.
	passesPerCPU = 16
	// leastPasses is how many run at once however little memory there is.
	leastPasses = 2

	// passMemory is what one pass takes while it does more than wait, idleMemory what a mapping
	// takes between its passes, and ownMemory what the process takes besides both and the relays.
	// make fleet measures what becomes of them together.
	passMemory = 12 << 20
	idleMemory = 256 << 10
	ownMemory  = 64 << 20
	// inUse is the share of the limit that is planned for. The collector works without end where
	// all of it is in use.
	inUse = 0.75
)

// passesOf returns how many passes may run at once under a configuration.
func passesOf(c *config.Config) int {
	return passesFor(c.Passes, len(c.Mappings), debug.SetMemoryLimit(-1), runtime.GOMAXPROCS(0))
}

// passesFor is passesOf in a process with so many mappings and CPUs and with that limit of memory,
// math.MaxInt64 for none.
func passesFor(setting value.AutoInt, mappings int, memory int64, cpus int) int {
	if setting > 0 {
		return int(setting)
	}
	passes := passesPerCPU * cpus
	if memory < math.MaxInt64 {
		left := int(float64(memory)*inUse) - ownMemory - relayMemory - mappings*idleMemory
		passes = min(passes, left/passMemory)
	}
	return max(passes, leastPasses)
}
