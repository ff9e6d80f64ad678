package assembly

import (
	"math"
	"runtime"
	"runtime/debug"

	"syncd/config"
	"syncd/config/value"
)

const (
	// passesPerCPU is how many passes may run at the same time per CPU if memory is not the limit.
	// It is more than one because a pass waits for responses most of the time.
	passesPerCPU = 16
	// leastPasses is the minimum number of passes that may run at the same time, regardless of
	// memory.
	leastPasses = 2

	// passMemory is the memory that a running pass needs, in bytes. idleMemory is the memory of a
	// mapping between its passes. ownMemory is the memory of the process without passes, idle
	// mappings and relays. The make target fleet measures the total.
	passMemory = 12 << 20
	idleMemory = 256 << 10
	ownMemory  = 64 << 20
	// inUse is the fraction of the memory limit that passesFor uses. If the process used all of the
	// limit, the garbage collector would run constantly.
	inUse = 0.75
)

// passesOf returns how many passes may run at the same time under a configuration.
func passesOf(c *config.Config) int {
	return passesFor(c.Passes, len(c.Mappings), debug.SetMemoryLimit(-1), runtime.GOMAXPROCS(0))
}

// passesFor returns how many passes may run at the same time. setting is the setting passes, 0 for
// auto. mappings is the number of mappings, and memory the memory limit in bytes, math.MaxInt64 for
// none.
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
