package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/printable"
	"syncd/internal/syncer"
)

// exitUsage says that the command line or the configuration has to be changed; the other exit codes are those of a pass.
const exitUsage = 2

// usageError is a command line or a configuration that has to be changed before anything can be done.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// quarantinedError says that a command did its work but had to set objects aside.
type quarantinedError struct{ objects int64 }

func (e *quarantinedError) Error() string {
	return objects(e.objects) + " quarantined"
}

// interruptedError says that a command without a pass of its own was interrupted.
type interruptedError struct {
	command string
	state   string // what becomes of what it has asked for, "" for a command that leaves things as afterInterruption says
}

func (e *interruptedError) Error() string {
	if e.state == "" {
		return e.command + ": interrupted"
	}
	return e.command + ": interrupted: " + e.state
}

// isInterruption reports whether a command failed for nothing but its interruption. Commands with a pass say themselves what they have saved, and
// the end of a daemon is no interruption.
func isInterruption(cmd *cobra.Command, err error) bool {
	return cmd.Name() != "run" && exitCode(err) == syncer.ExitFailed && errors.Is(err, context.Canceled)
}

// hinted is an error that knows what to do about it.
type hinted struct {
	err  error
	hint string
}

func (e *hinted) Error() string { return e.err.Error() }

func (e *hinted) Unwrap() error { return e.err }

// flags are those that several commands share.
type flags struct {
	config   string
	where    string // what named config, "" for the file that is read when nothing does
	once     []byte // the configuration, when it came from standard input or a pipe
	mappings []string
	logLevel string
	listen   string
	json     bool
	rekey    bool
	takeOver bool
	history  bool
}

func execute(ctx context.Context, args []string, p process) error {
	root := newRoot(p) //nolint:contextcheck // cobra hands it on
	if err := checkWords(root, args); err != nil {
		return err
	}
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && isInterruption(cmd, err):
		return &interruptedError{command: commandName(cmd)}
	}
	return withHelp(err, cmd.CommandPath())
}

// commandName is what a command is called after "syncd", with the command above it.
func commandName(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// newRoot is the table of commands.
func newRoot(p process) *cobra.Command {
	version := false
	root := &cobra.Command{
		Use:   "syncd",
		Short: "Keep a copy of another AWS account's bucket under your own KMS key",
		Long: "syncd keeps a copy of another AWS account's bucket, encrypted under your own KMS key.\n\n" +
			"Try `syncd demo` first: it needs no AWS account." + exits(""),
		Example:       "  syncd demo\n  syncd doctor --config syncd.yaml\n  syncd run --config syncd.yaml",
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				printVersion(p.stdout)
				return nil
			}
			return cmd.Help()
		},
	}
	root.Flags().BoolVar(&version, "version", false, "print build information in one line")
	if p.stdin != nil {
		root.SetIn(p.stdin)
	}
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(wrongFlag)
	root.SetUsageTemplate(wrappedUsage(root.UsageTemplate()))
	root.SetHelpCommand(helpCommand())
	root.AddCommand(runCommand(p), backfillCommand(p), planCommand(p), replayCommand(p), statusCommand(p), healthcheckCommand(p), ledgerCommand(p), demoCommand(p), newPolicy(p), newDoctor(p), configCommand(p), versionCommand(p))
	root.AddCommand(requestCommands(p)...)
	callAlso(root)
	const main = "main"
	root.AddGroup(&cobra.Group{ID: main, Title: "Commands:"})
	for _, cmd := range root.Commands() {
		cmd.GroupID = main
	}
	root.AddCommand(completionCommand(p), manCommand(p))
	addCompletions(root, p)
	refuseArguments(root)
	findConfigs(root, p)
	fitHelp(root)
	return root
}

// refuseArguments makes positional arguments, which no command has, usage errors.
func refuseArguments(cmd *cobra.Command) {
	if cmd.Args == nil {
		cmd.Args = noArguments
	}
	for _, child := range cmd.Commands() {
		refuseArguments(child)
	}
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return unknownCommand(cmd, args[0])
	}
	return &usageError{fmt.Errorf("%s: unexpected argument %q", cmd.CommandPath(), args[0])}
}

// exitCode is the one place where an error becomes an exit code. Of several errors the gravest decides: one mapping that
// failed outweighs any number that only set objects aside.
func exitCode(err error) int {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return codeOf(err)
	}
	gravity := []int{syncer.ExitDone, exitFindings, syncer.ExitQuarantined, syncer.ExitLeaseHeld, syncer.ExitInterrupted, exitUsage, syncer.ExitFailed}
	gravest := 0
	for _, err := range joined.Unwrap() {
		gravest = max(gravest, slices.Index(gravity, exitCode(err)))
	}
	return gravity[gravest]
}

func codeOf(err error) int {
	_, usage := errors.AsType[*usageError](err)
	_, faults := errors.AsType[*config.Faults](err)
	_, found := errors.AsType[*findingsError](err)
	_, work := errors.AsType[*workError](err)
	_, aside := errors.AsType[*quarantinedError](err)
	_, interrupted := errors.AsType[*interruptedError](err)
	switch {
	case err == nil:
		return syncer.ExitDone
	case usage, faults:
		return exitUsage
	case found, work:
		return exitFindings
	case interrupted, errors.Is(err, syncer.ErrDrained):
		return syncer.ExitInterrupted
	case checkpoint.IsLeaseHeld(err):
		return syncer.ExitLeaseHeld
	case aside:
		return syncer.ExitQuarantined
	default:
		return syncer.ExitFailed
	}
}

// printError tells people what went wrong in one line, and in the same line what to do about it. Several errors, and the
// faults of a configuration, have a line each.
func printError(w io.Writer, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			printError(w, err)
		}
		return
	}
	if faults, ok := errors.AsType[*config.Faults](err); ok {
		for _, fault := range *faults {
			printable.Fprintln(w, fault)
		}
		return
	}
	line := "syncd: " + printable.Line(err.Error())
	if hint := hintFor(err); hint != "" {
		line += "; hint: " + hint
	}
	printable.Fprintln(w, line)
}

func hintFor(err error) string {
	if h, ok := errors.AsType[*hinted](err); ok {
		return h.hint
	}
	if c, ok := errors.AsType[*awserr.CredentialsError](err); ok {
		return c.Hint
	}
	if expired, ok := errors.AsType[*awserr.ExpiredError](err); ok {
		return expired.Hint
	}
	if errors.Is(err, syncer.ErrDrained) {
		return "what was done is saved; the next pass goes on from there"
	}
	if e, ok := errors.AsType[*interruptedError](err); ok && e.state == "" {
		return afterInterruption(e.command)
	}
	if errors.Is(err, syncer.ErrUnfinished) {
		return "run `syncd backfill` to finish it; it tries what is due in quarantine too"
	}
	if errors.Is(err, syncer.ErrMoved) {
		return "run `syncd backfill` first: it copies to the new place, and tries what is in quarantine too"
	}
	if _, ok := errors.AsType[*syncer.RekeyError](err); ok {
		return "run `syncd backfill --rekey`, or `syncd rekey` while a daemon runs, to copy them under the new key, or put the former key back"
	}
	if checkpoint.IsLeaseHeld(err) {
		return "if it is a daemon, ask it: `syncd trigger` for a pass, `syncd rekey` for one under a new key; else wait for its end"
	}
	if _, ok := errors.AsType[*syncer.RefusedError](err); ok {
		return "run `syncd doctor`: it tries each permission and names the document that is missing one"
	}
	return hintOfService(err)
}

// hintOfService says what to do about what a service, or what is before it, has answered.
func hintOfService(err error) string {
	class := awserr.Classify(err)
	if state, ok := errors.AsType[*checkpoint.StateError](err); ok {
		if hint := hintOfState(state, class); hint != "" {
			return hint
		}
	}
	if hint := awserr.Hint(err); hint != "" {
		return hint
	}
	switch class { //nolint:exhaustive // only classes with something to say
	case awserr.Denied:
		return "the role lacks a permission: its own policy, the bucket policy and the key policy must all allow the action; " +
			"or the account that the configuration gives that side does not own the bucket: `syncd doctor` finds out which"
	case awserr.NoBucket:
		return "check bucket and region of the mapping"
	case awserr.WrongRegion:
		return "set region of that side " + regionOf(err)
	case awserr.NoKey:
		return "correct kms_key of the destination: KMS has no such key in that region"
	default:
		return ""
	}
}

// hintOfState says which setting of the state is at fault, "" where none is.
func hintOfState(e *checkpoint.StateError, class awserr.Class) string {
	switch class { //nolint:exhaustive // only classes with something to say
	case awserr.Denied:
		return "state: " + e.State + " is not this role's to read and write (checkpoint.role, or the ambient credentials), or belongs to another account than " +
			"checkpoint.account says: run `syncd doctor`"
	case awserr.NoBucket:
		return "create the bucket, or correct state: " + e.State
	case awserr.WrongRegion:
		return "set checkpoint.region " + regionOf(e)
	case awserr.NoKey, awserr.KeyDisabled:
		return "the state is written under checkpoint.kms_key: correct it, or enable the key"
	default:
		return ""
	}
}

// regionOf is the region that a misdirected request should have gone to.
func regionOf(err error) string {
	if region := awserr.BucketRegion(err); region != "" {
		return "to " + region
	}
	return "to that of the bucket"
}
