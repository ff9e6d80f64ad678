package main

import (
	"fmt"

	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/usage"

	"github.com/spf13/cobra"
)

func manCommand(p invocation.Process) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages of all commands",
		Long: `man writes a manual page for syncd and for each of its commands into DIR, in the format of man(1). The pages of one version are
always byte-identical: their date is the date of the revision, or SOURCE_DATE_EPOCH if it is set.` + exit.Help("man", 0, 1, 2),
		Example: "  syncd man /usr/local/share/man/man1\n  syncd man man && man -l man/syncd.1",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.Usage(fmt.Errorf("write manual: name one DIR"))
			}
			return nil
		},
		ValidArgsFunction: folders,
		RunE: func(_ *cobra.Command, args []string) error {
			date, err := usage.ManualDate(p.LookupEnv)
			if err != nil {
				return err
			}
			return usage.WriteManual(newRoot(p), date, args[0])
		},
	}
}
