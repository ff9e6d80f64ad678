package main

import (
	"fmt"
	"strconv"
	"strings"

	"syncd/internal/exit"

	"github.com/spf13/cobra"
)

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
	return exit.Usage(fmt.Errorf("%s: unexpected argument %q", cmd.CommandPath(), args[0]))
}

// helpWidth is how wide a page of the help may be.
const helpWidth = 100

// helpCommand is `syncd help`, which treats a mistyped command as any other does.
func helpCommand() *cobra.Command {
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
			if err := noArguments(at, rest); err != nil {
				return err
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

// fitHelp makes the help of a command and of those beneath it fit into helpWidth columns. Examples and synopses are written to fit.
func fitHelp(cmd *cobra.Command) {
	cmd.Long = filled(cmd.Long, helpWidth)
	for _, child := range cmd.Commands() {
		fitHelp(child)
	}
}

// wrappedUsage is cobra's template of a command's usage with the flags' descriptions broken into lines.
func wrappedUsage(template string) string {
	return strings.ReplaceAll(template, ".FlagUsages", ".FlagUsagesWrapped "+strconv.Itoa(helpWidth))
}

// filled breaks paragraphs into lines of so many columns. Lines that are indented stay as they are, as tables do.
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
