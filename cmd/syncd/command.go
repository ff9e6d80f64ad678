package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"syncd/internal/buildinfo"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/syncer"
	"syncd/internal/usage"
)

// isInterruption reports whether a command failed only because it was interrupted. It returns false
// for commands that run a pass, because such a command itself reports the progress that it saved,
// and for the daemon, because stopping it is not an interruption.
func isInterruption(cmd *cobra.Command, err error) bool {
	return cmd.Name() != "run" && exit.Code(err) == syncer.ExitFailed && errors.Is(err, context.Canceled)
}

func execute(ctx context.Context, args []string, p invocation.Process) error {
	root := newRoot(p) //nolint:contextcheck // cobra passes the context to the command
	if err := usage.CheckWords(root, args); err != nil {
		return err
	}
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && isInterruption(cmd, err):
		return exit.Interrupted(invocation.CommandName(cmd), "")
	}
	return usage.WithHelp(err, cmd.CommandPath())
}

// newRoot returns the root command with all other commands under it.
func newRoot(p invocation.Process) *cobra.Command {
	version := false
	root := &cobra.Command{
		Use:   "syncd",
		Short: "Keep a copy of another AWS account's bucket under your own KMS key",
		Long: "syncd keeps a copy of another AWS account's bucket, encrypted under your own KMS key.\n\n" +
			"To try it without an AWS account, run `syncd demo`." + exit.Help(""),
		Example:       "  syncd demo\n  syncd doctor --config syncd.yaml\n  syncd run --config syncd.yaml",
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				buildinfo.Print(p.Stdout)
				return nil
			}
			return cmd.Help()
		},
	}
	root.Flags().BoolVar(&version, "version", false, "print build information on one line")
	if p.Stdin != nil {
		root.SetIn(p.Stdin)
	}
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	root.SetFlagErrorFunc(usage.WrongFlag)
	root.SetUsageTemplate(usage.Template(root.UsageTemplate()))
	root.SetHelpCommand(usage.HelpCommand())
	root.AddCommand(runCommand(p), backfillCommand(p), planCommand(p), verifyCommand(p), replayCommand(p), statusCommand(p), healthcheckCommand(p), ledgerCommand(p), demoCommand(p), policyCommand(p), doctorCommand(p), configCommand(p), versionCommand(p))
	root.AddCommand(requestCommands(p)...)
	usage.AddWords(root)
	const main = "main"
	root.AddGroup(&cobra.Group{ID: main, Title: "Commands:"})
	for _, cmd := range root.Commands() {
		cmd.GroupID = main
	}
	root.AddCommand(completionCommand(p), manCommand(p))
	addCompletions(root, p)
	usage.RefuseArguments(root)
	invocation.FindConfigs(root, p)
	usage.Fit(root)
	return root
}
