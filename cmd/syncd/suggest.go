package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncd/config"
)

// namedAtMost is how many names a hint lists.
const namedAtMost = 10

// oneOf is a hint for a word that is none of words: the one that was likely meant, or what there is, without an end of names.
func oneOf(word string, words []string) string {
	if near := nearest(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	if len(words) <= namedAtMost {
		return "use one of " + strings.Join(words, ", ")
	}
	return "use one of " + strings.Join(words[:namedAtMost], ", ") + " and " + strconv.Itoa(len(words)-namedAtMost) + " more"
}

// nearest returns the one of words that was likely meant: the only one that begins so, where that is more than a letter or two, else the
// most alike.
func nearest(word string, words []string) string {
	const begun = 3
	begins := func(w string) bool { return strings.HasPrefix(w, strings.ToLower(word)) }
	if i := slices.IndexFunc(words, begins); i >= 0 && len(word) >= begun && !slices.ContainsFunc(words[i+1:], begins) {
		return words[i]
	}
	return config.Nearest(word, words)
}

// unknownWord is the usage error of a value that is none of a choice.
func unknownWord[S ~string](what string, word S, choice []S) error {
	words := make([]string, len(choice))
	for i, w := range choice {
		words[i] = string(w)
	}
	return &hinted{&usageError{fmt.Errorf("%s %q is not one of %s", what, word, strings.Join(words, ", "))}, oneOf(string(word), words)}
}

// unknownCommand is the usage error of a word that is no command beneath cmd.
func unknownCommand(cmd *cobra.Command, word string) error {
	err := &usageError{fmt.Errorf("unknown command %q", word)}
	if meant := commandLike(cmd, word); meant != "" {
		return &hinted{err, "did you mean `" + meant + "`? " + seeHelp(cmd.CommandPath())}
	}
	return err
}

// commandLike returns the command line that was likely meant by a word: of a command anywhere that is called so, else of one right beneath
// cmd that is like it.
func commandLike(cmd *cobra.Command, word string) string {
	for _, child := range append(cmd.Root().Commands(), cmd.Root()) {
		if paths, _ := namesOf(child.Commands()); paths[word] != "" {
			return paths[word]
		}
	}
	paths, names := namesOf(cmd.Commands())
	return paths[nearest(word, names)]
}

// namesOf returns what commands are called, and by that their command lines.
func namesOf(commands []*cobra.Command) (paths map[string]string, names []string) {
	paths = map[string]string{}
	for _, c := range commands {
		if !c.IsAvailableCommand() && c.Name() != "help" {
			continue
		}
		for _, name := range slices.Concat([]string{c.Name()}, c.Aliases, c.SuggestFor) {
			if paths[name] == "" {
				paths[name] = c.CommandPath()
				names = append(names, name)
			}
		}
	}
	return paths, names
}

// wrongFlag is the usage error of what the parser of flags refused.
func wrongFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok || unknown.GetSpecifiedShortnames() != "" {
		return &usageError{err}
	}
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, flag.Name)
		}
	})
	if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
		return &hinted{&usageError{err}, "did you mean --" + near + "? " + seeHelp(cmd.CommandPath())}
	}
	return &usageError{err}
}

// seeHelp says where the help of a command is.
func seeHelp(path string) string { return "run `" + path + " --help`" }

// withHelp adds to usage errors that have no hint where the help of their command is.
func withHelp(err error, path string) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, err := range joined.Unwrap() {
			all = append(all, withHelp(err, path))
		}
		return errors.Join(all...)
	}
	if _, ok := errors.AsType[*usageError](err); ok && hintFor(err) == "" {
		return &hinted{err, seeHelp(path)}
	}
	return err
}
