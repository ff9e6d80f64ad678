// Bench measures what syncd and its peers cost a client, side by side.
//
// It starts a small S3 server that answers at once or after a fixed time, and runs each client against it in
// turn, in several rounds. For each client it measures the CPU time, the wall time, the peak memory and the
// requests of the whole process, and prints medians and ratios. Run it on a quiet machine: the times of one
// run are comparable with each other, and with nothing else.
//
// The leanest client is bench itself (bench floor): net/http and the smallest possible signer. It shows what
// the requests alone cost in Go.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "serve":
			return serve(args[1:])
		case "floor":
			return floor(args[1:])
		case "sdk":
			return sdk(args[1:])
		}
	}
	return compare(args)
}
