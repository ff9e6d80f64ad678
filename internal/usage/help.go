// Package usage is what the command line says of itself: the help, the manual pages, and what was
// likely meant by a word that is wrong.
//
// It promises that every page of the help fits into Width columns, that a mistyped command, flag or
// value is a usage error with a hint, and that the manual of one version is always the same bytes.
//
// It leaves the commands themselves to cmd/syncd, and errors and their exit codes to package exit.
// The tree of cobra commands is all that it reads.
package usage

import (
	"fmt"
	"strconv"
	"strings"

	"syncd/internal/exit"

	"github.com/spf13/cobra"
)

// RefuseArguments makes positional arguments, which no command has, usage errors.
func RefuseArguments(cmd *cobra.Command) {
	if cmd.Args == nil {
		cmd.Args = NoArguments
	}
	for _, child := range cmd.Commands() {
		RefuseArguments(child)
	}
}

// NoArguments refuses positional arguments.
func NoArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return unknownCommand(cmd, args[0])
	}
	return exit.Usage(fmt.Errorf("%s: unexpected argument %q", cmd.CommandPath(), args[0]))
}

// Width is how wide a page of the help may be.
const Width = 100

// HelpCommand is `syncd help`, which treats a mistyped command as any other does.
func HelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]...",
		Short: "Show the help of a command",
		Long:  "help shows the help of a command, as --help after it does." + exit.Help("help", 0, 2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
			if at, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
				for _, child := range at.Commands() {
					if child.IsAvailableCommand() && strings.HasPrefix(child.Name(), begun) {
						names = append(names, cobra.CompletionWithDesc(child.Name(), child.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			at, rest, err := cmd.Root().Find(args)
			if err != nil {
				return exit.Usage(err)
			}
			if err := NoArguments(at, rest); err != nil {
				return err
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

// Fit makes the help of a command and of those beneath it fit into Width columns. Examples and
// synopses are written to fit.
func Fit(cmd *cobra.Command) {
	cmd.Long = filled(cmd.Long, Width)
	for _, child := range cmd.Commands() {
		Fit(child)
	}
}

// Template is cobra's template of a command's usage with the flags' descriptions broken into lines.
func Template(template string) string {
	return strings.ReplaceAll(template, ".FlagUsages", ".FlagUsagesWrapped "+strconv.Itoa(Width))
}

// filled breaks paragraphs into lines of so many columns. Lines that are indented stay as they are,
// as tables do.
func filled(text string, width int) string {
	var b strings.Builder
	column := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == ' ' || strings.HasSuffix(line, ":") && len(strings.Fields(line)) <= 2 {
			b.WriteString(strings.Repeat("\n", min(column, 1)) + line + "\n")
			column = 0
			continue
		}
		for word := range strings.FieldsSeq(line) {
			size := len([]rune(word))
			switch {
			case column == 0:
			case column+1+size > width:
				b.WriteByte('\n')
				column = 0
			default:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += size
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
