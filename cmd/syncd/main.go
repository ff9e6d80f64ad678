// Command syncd keeps a copy of another AWS account's bucket, encrypted under your own KMS key.
//
// A command parses its flags, builds the parts of the program with package assembly, calls one of
// these parts, and prints the result. Package exit contains the table of exit codes.
//
// Other packages do the work: package syncer runs a pass, and package daemon runs passes on a
// schedule.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // schedules may name a time zone, and a scratch image has no zone database

	"syncd/internal/creds"
	"syncd/internal/exit"
	"syncd/internal/invocation"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], invocation.Process{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: time.Now,
	}))
}

// run executes one command line and returns its exit code. The first SIGINT or SIGTERM makes the
// command drain; a second one kills the process.
func run(ctx context.Context, args []string, p invocation.Process) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // after the first signal, restores the default handling
	p.Shared = new(creds.Shared)
	err := execute(ctx, args, p)
	if err != nil {
		exit.Print(p.Stderr, err)
	}
	return exit.Code(err)
}
