// Package usage writes the help and the manual pages, and suggests what a user meant by a mistyped
// word.
//
// It guarantees that every help page fits into Width columns, that a mistyped command, flag or
// value is a usage error with a hint, and that the manual of one version is always byte-identical.
//
// Package cmd/syncd has the commands, and package exit has the errors and exit codes. Package usage
// needs only the tree of cobra commands.
package usage

import (
	"fmt"
	"strconv"
	"strings"

	"syncd/internal/exit"

	"github.com/spf13/cobra"
)

// RefuseArguments makes positional arguments a usage error for cmd and the commands under it,
// unless a command sets Args itself.
func RefuseArguments(cmd *cobra.Command) {
	if cmd.Args == nil {
		cmd.Args = NoArguments
	}
	for _, child := range cmd.Commands() {
		RefuseArguments(child)
	}
}

// NoArguments returns a usage error if there are positional arguments.
func NoArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return unknownCommand(cmd, args[0])
	}
	return exit.Usage(fmt.Errorf("%s: unexpected argument %q", cmd.CommandPath(), args[0]))
}

// Width is the maximum width of a help page, in columns.
const Width = 100

// HelpCommand returns `syncd help`. Unlike cobra's, it reports a mistyped command as a usage error.
func HelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]...",
		Short: "Show the help of a command",
		Long:  "help shows the help of a command, like --help after the command." + exit.Help("help", 0, 2),
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

// Fit reflows the description of a command, and of the commands under it, to Width columns.
// Examples and synopses are not reflowed; they must fit as written.
func Fit(cmd *cobra.Command) {
	cmd.Long = filled(cmd.Long, Width)
	for _, child := range cmd.Commands() {
		Fit(child)
	}
}

// Template returns cobra's usage template, changed to wrap the descriptions of the flags.
func Template(template string) string {
	return strings.ReplaceAll(template, ".FlagUsages", ".FlagUsagesWrapped "+strconv.Itoa(Width))
}

// filled reflows paragraphs to the given width. Indented lines, such as tables, stay as they are.
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
