package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/policy"
	"syncd/internal/awserr"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/plan"
	"syncd/internal/usage"
)

func completionCommand(p invocation.Process) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion " + strings.Join(shells, "|"),
		Short: "Write a script for shell completion of commands, flags and mappings",
		Long: `completion writes a shell script. With it, the shell completes the commands and flags of syncd, and the values of flags: the mappings of the
configuration, quarantine reasons, fixed choices, files and folders.

Completion reads the configuration and nothing else. It sends no request, and reports no faults of the configuration.` + exit.Help("completion", 0, 2),
		Example: `  source <(syncd completion bash)
  syncd completion bash > /etc/bash_completion.d/syncd
  syncd completion zsh > "${fpath[1]}/_syncd"
  syncd completion fish > ~/.config/fish/completions/syncd.fish
  syncd completion powershell >> $PROFILE`,
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return exit.Usage(fmt.Errorf("write completion: name one of %s", strings.Join(shells, ", ")))
			case !slices.Contains(shells, args[0]):
				return usage.UnknownWord("write completion: shell", args[0], shells)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(p.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(p.Stdout)
			case "fish":
				return root.GenFishCompletion(p.Stdout, true)
			default:
				return root.GenPowerShellCompletionWithDesc(p.Stdout)
			}
		},
	}
}

// addCompletions registers a completion for every flag that has a value and for every argument.
// Where there is nothing to suggest, the shell does not suggest files either.
func addCompletions(cmd *cobra.Command, p invocation.Process) {
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Value.Type() == "bool" {
			return
		}
		if err := cmd.RegisterFlagCompletionFunc(flag.Name, completionOf(cmd, p, flag.Name)); err != nil {
			panic("BUG: " + err.Error())
		}
	})
	for _, child := range cmd.Commands() {
		addCompletions(child, p)
	}
}

// completionOf returns the completion of a flag of a command.
func completionOf(cmd *cobra.Command, p invocation.Process, flag string) cobra.CompletionFunc {
	of := flag
	if flag == "format" || flag == "from" { // the values of the flag depend on the command
		of = cmd.Name() + " " + flag
	}
	switch of {
	case "config":
		return yamlFiles
	case "mapping":
		return mappingNames(p)
	case "binary":
		return anyFiles
	case "output", "dir", "demo from":
		return folders
	case "reason":
		return words(quarantineReasons()...)
	case "log-level":
		return words("debug", "info", "warn", "error")
	case "side":
		return words(access.Owner, access.Consumer, access.Both)
	case "style":
		return words(policy.RoleStyle, policy.AccountStyle, policy.ABACStyle)
	case "kind":
		return words(access.Kinds()...)
	case "policy format":
		return words("json", "terraform", "cloudformation")
	case "export format":
		return words("csv", "jsonl")
	default:
		return cobra.NoFileCompletions
	}
}

// words completes to one of the choices, in the given order.
func words[S ~string](choice ...S) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) (fit []cobra.Completion, _ cobra.ShellCompDirective) {
		for _, word := range choice {
			if strings.HasPrefix(string(word), begun) {
				fit = append(fit, string(word))
			}
		}
		return fit, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

func yamlFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

func folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func anyFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// mappingNames completes to the mappings of the configuration that the command would read. It
// leaves out mappings that are already on the command line. If the configuration does not load,
// there are no completions; running the command then reports the error.
func mappingNames(p invocation.Process) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		path := cmd.Flag("config").Value.String()
		if path == "" {
			path, _ = invocation.UsualConfig(p)
		}
		c, err := config.Load(path)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		given, _ := cmd.Flags().GetStringArray("mapping")
		var names []cobra.Completion
		for _, m := range c.Mappings {
			if strings.HasPrefix(m.Name, begun) && !slices.Contains(given, m.Name) {
				names = append(names, cobra.CompletionWithDesc(m.Name, m.Source.Bucket+" to "+m.Destination.Bucket))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// quarantineReasons returns the reasons for which objects are quarantined: faults of the object
// itself, and error classes.
func quarantineReasons() []string {
	reasons := []string{
		plan.WrongKeyCopied, plan.ChecksumDiffers, plan.KeyUnrepresentable, plan.HiddenMetadata, plan.NoETag, plan.SSEC,
		plan.TagOverflow, plan.ObjectLocked, plan.Foreign, plan.Inconsistent, plan.BadSignature, plan.Internal,
	}
	for _, class := range []awserr.Class{
		awserr.Denied, awserr.Archived, awserr.KeyDisabled, awserr.NoKey, awserr.Precondition, awserr.Conflict, awserr.Throttled, awserr.ThrottledKMS,
		awserr.Transient, awserr.TooLarge, awserr.Invalid, awserr.Unsupported, awserr.Unknown,
		// The classes below are reasons only if just one object has the error.
		awserr.Credentials, awserr.Expired, awserr.NoBucket, awserr.WrongRegion,
	} {
		reasons = append(reasons, string(class))
	}
	slices.Sort(reasons)
	return reasons
}
