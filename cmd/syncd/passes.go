package main

import (
	"math"
	"runtime"
	"runtime/debug"

	"syncd/config"
)

const (
	// passesPerCPU is how many passes run at once for each CPU where memory does not bound them: a pass waits for answers most of the
	// time.
	passesPerCPU = 16
	// passMemory is what one pass takes at most while it does more than wait, ownMemory what the process takes besides passes and
	// relays. TestFleet holds both.
	passMemory = 12 << 20
	ownMemory  = 160 << 20
	// leastPasses is how many run at once however little memory there is.
	leastPasses = 2
)

// passesOf returns how many passes may run at once under a setting.
func passesOf(setting config.AutoInt) int {
	return passesFor(setting, debug.SetMemoryLimit(-1), runtime.GOMAXPROCS(0))
}

// passesFor is passesOf in a process with that limit of memory, math.MaxInt64 for none, and so many CPUs.
func passesFor(setting config.AutoInt, memory int64, cpus int) int {
	if setting > 0 {
		return int(setting)
	}
	passes := passesPerCPU * cpus
	if memory < math.MaxInt64 {
		passes = min(passes, int((memory-ownMemory-relayMemory)/passMemory))
	}
	return max(passes, leastPasses)
}
