// Command syncd keeps a copy of another AWS account's bucket, encrypted under one's own KMS key.
//
// It promises commands that are thin: each parses its flags, has package assembly build the parts,
// calls one of them and prints what came of it. The exit codes are in one table, in package exit.
//
// It leaves all work to the packages beneath: syncer runs a pass, daemon keeps passes on a
// schedule.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // schedules may name a zone, and an image from scratch knows none

	"syncd/internal/creds"
	"syncd/internal/exit"
	"syncd/internal/invocation"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], invocation.Process{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: time.Now,
	}))
}

// run runs one command line and returns its exit code. The first SIGINT or SIGTERM asks the command
// to drain; a second one ends the process at once.
func run(ctx context.Context, args []string, p invocation.Process) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // gives signals back to the system
	p.Shared = new(creds.Shared)
	err := execute(ctx, args, p)
	if err != nil {
		exit.Print(p.Stderr, err)
	}
	return exit.Code(err)
}
