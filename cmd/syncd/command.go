package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"syncd/internal/buildinfo"
	"syncd/internal/exit"
	"syncd/internal/syncer"
)

// isInterruption reports whether a command failed for nothing but its interruption. Commands with a pass say themselves what they have saved, and
// the end of a daemon is no interruption.
func isInterruption(cmd *cobra.Command, err error) bool {
	return cmd.Name() != "run" && exit.Code(err) == syncer.ExitFailed && errors.Is(err, context.Canceled)
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
		return exit.Interrupted(strings.TrimPrefix(cmd.CommandPath(), root.Name()+" "), "")
	}
	return withHelp(err, cmd.CommandPath())
}

// newRoot is the table of commands.
func newRoot(p process) *cobra.Command {
	version := false
	root := &cobra.Command{
		Use:   "syncd",
		Short: "Keep a copy of another AWS account's bucket under your own KMS key",
		Long: "syncd keeps a copy of another AWS account's bucket, encrypted under your own KMS key.\n\n" +
			"Try `syncd demo` first: it needs no AWS account." + exit.Help(""),
		Example:       "  syncd demo\n  syncd doctor --config syncd.yaml\n  syncd run --config syncd.yaml",
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				buildinfo.Print(p.stdout)
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
