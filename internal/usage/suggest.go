package usage

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncd/internal/control"
	"syncd/internal/exit"
	"syncd/internal/hint"
)

// maxNamed limits how many names a hint lists.
const maxNamed = 10

// OneOf returns a hint for a word that is not in words. The hint suggests the word that the user
// probably meant, or else lists the first maxNamed words.
func OneOf(word string, words []string) string {
	if near := hint.Meant(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	if len(words) <= maxNamed {
		return "use one of " + strings.Join(words, ", ")
	}
	return "use one of " + strings.Join(words[:maxNamed], ", ") + " and " + strconv.Itoa(len(words)-maxNamed) + " more"
}

// UnknownWord returns the usage error for a word that is not in choice. The message begins with the
// text in what.
func UnknownWord[S ~string](what string, word S, choice []S) error {
	words := make([]string, len(choice))
	for i, w := range choice {
		words[i] = string(w)
	}
	return exit.WithHint(exit.Usage(fmt.Errorf("%s %q is not one of %s", what, word, strings.Join(words, ", "))), OneOf(string(word), words))
}

// unknownCommand returns the usage error for a word that is not a command of cmd.
func unknownCommand(cmd *cobra.Command, word string) error {
	err := exit.Usage(fmt.Errorf("unknown command %q", word))
	if way := hintForWord(word); way != "" && cmd == cmd.Root() {
		return exit.WithHint(err, way)
	}
	if meant := commandLike(cmd, word); meant != "" {
		return exit.WithHint(err, "did you mean `"+meant+"`? "+seeHelp(cmd.CommandPath()))
	}
	return exit.WithHint(err, seeHelp(cmd.CommandPath()))
}

// hintForWord returns a hint for a word that users often try as a command, such as "stop". For any
// other word it returns "".
func hintForWord(word string) string {
	switch word {
	case "stop", "kill", "shutdown":
		return "to stop the passes of a mapping, run `syncd pause`; to stop the daemon, send it SIGTERM"
	case "restart", "reload":
		return "the daemon reloads a changed configuration by itself, or on SIGHUP; to stop it, send it SIGTERM"
	case "history", "log", "logs", "passes":
		return "run `syncd status --history`"
	case "quarantine":
		return "run `syncd status --quarantine`"
	default:
		return ""
	}
}

// AddWords adds synonyms to the commands that send requests. If a user types a synonym as a
// command, the error suggests the real command.
func AddWords(root *cobra.Command) {
	for name, words := range map[control.What][]string{
		control.Trigger: {"kick", "request", "now", "force"},
		control.Pause:   {"suspend", "hold", "halt", "disable", "freeze"},
		control.Resume:  {"unpause", "continue", "enable", "unfreeze"},
		control.Rekey:   {"re-key", "re-encrypt", "reencrypt", "rotate"},
	} {
		for _, cmd := range root.Commands() {
			if cmd.Name() == string(name) {
				cmd.SuggestFor = words
			}
		}
	}
}

// CheckWords returns a usage error if args contain a word that is not a command. It must run before
// the flags are parsed, because otherwise the flags of a mistyped command would be reported as
// unknown flags of its parent command.
func CheckWords(root *cobra.Command, args []string) error {
	root.InitDefaultHelpCmd()
	cmd, rest, err := root.Find(args)
	if err != nil || !cmd.HasSubCommands() {
		return nil //nolint:nilerr // cobra reports it
	}
	cmd.InitDefaultHelpFlag()
	// Words such as __complete are commands for shells.
	if word := firstWord(cmd.Flags(), rest); word != "" && !strings.HasPrefix(word, "__") {
		return unknownCommand(cmd, word)
	}
	return nil
}

// firstWord returns the first argument that is neither a flag nor the value of a flag, or "" if
// there is none. It assumes that an unknown flag has a value, unless it is the last argument.
func firstWord(known *pflag.FlagSet, args []string) string {
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		arg := args[i]
		name, isLong := strings.CutPrefix(arg, "--")
		switch {
		case !strings.HasPrefix(arg, "-") || arg == "-":
			return arg
		case strings.Contains(arg, "="):
		case isLong:
			if flag := known.Lookup(name); flag == nil || flag.NoOptDefVal == "" {
				i++
			}
		case len(arg) == 2:
			if flag := known.ShorthandLookup(arg[1:]); flag == nil || flag.NoOptDefVal == "" {
				i++
			}
		}
	}
	return ""
}

// commandLike returns the path of the command that was likely meant by word, or "". It first looks
// for a command anywhere with exactly that name, alias or synonym, then for a similar name or alias
// directly under cmd. Synonyms must match exactly, because too many words are similar to one of
// them.
func commandLike(cmd *cobra.Command, word string) string {
	for _, child := range append(cmd.Root().Commands(), cmd.Root()) {
		for _, c := range available(child.Commands()) {
			if slices.Contains(slices.Concat([]string{c.Name()}, c.Aliases, c.SuggestFor), word) {
				return c.CommandPath()
			}
		}
	}
	paths := map[string]string{}
	var names []string
	for _, c := range available(cmd.Commands()) {
		for _, name := range append([]string{c.Name()}, c.Aliases...) {
			paths[name] = c.CommandPath()
			names = append(names, name)
		}
	}
	return paths[hint.Meant(word, names)]
}

// available returns the commands that the help lists.
func available(commands []*cobra.Command) (shown []*cobra.Command) {
	for _, c := range commands {
		if c.IsAvailableCommand() || c.Name() == "help" {
			shown = append(shown, c)
		}
	}
	return shown
}

// WrongFlag turns an error of the flag parser into a usage error, with a hint for a mistyped flag.
func WrongFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok || unknown.GetSpecifiedShortnames() != "" {
		return exit.Usage(err)
	}
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, flag.Name)
		}
	})
	if near := hint.Meant(unknown.GetSpecifiedName(), names); near != "" {
		return exit.WithHint(exit.Usage(err), "did you mean --"+near+"? "+seeHelp(cmd.CommandPath()))
	}
	return exit.Usage(err)
}

// seeHelp returns a hint that names the help of a command.
func seeHelp(path string) string { return "run `" + path + " --help`" }

// WithHelp adds a hint that names the help of the command to usage errors without a hint.
func WithHelp(err error, path string) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, err := range joined.Unwrap() {
			all = append(all, WithHelp(err, path))
		}
		return errors.Join(all...)
	}
	if _, ok := errors.AsType[*exit.UsageError](err); ok && exit.Hint(err) == "" {
		return exit.WithHint(err, seeHelp(path))
	}
	return err
}
