package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/config/fault"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/printable"
	"syncd/internal/terminal"
	"syncd/internal/transfer"
	"syncd/internal/usage"
)

func configCommand(p invocation.Process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check a configuration, or show it with every default",
		Long:  "config checks a configuration, or shows it with every default filled in." + exit.Help("config", 0, 2),
		Example: "  syncd config check --config syncd.yaml\n" +
			"  syncd config show --config syncd.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(configCheckCommand(p), configShowCommand(p))
	return cmd
}

func configCheckCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	var daemon bool
	cmd := &cobra.Command{
		Use:     "check [--config FILE | FILE] [--mapping NAME]... [--daemon]",
		Aliases: []string{"validate"},
		Short:   "Check a configuration as every command does, without sending requests",
		Long: `check applies the same checks to the configuration as run, backfill, plan, replay, policy and doctor: if check accepts a file, so do these commands. It reports all faults at once, each with its line. It sends no requests, writes nothing, and opens neither the state nor a
port, so it can run as a check of a pull request.

For a configuration without faults it prints a line per mapping, and warnings: a region that this version does not know, an external
id that cannot be read on this machine, a file in which no mapping has a schedule. The run command accepts such a file, but then runs passes only on
request; with --daemon, check rejects it.` + exit.Help("config check", 0, 2, 130),
		Example: "  syncd config check --config syncd.yaml\n  syncd config check --config syncd.yaml --daemon --json",
		RunE:    func(*cobra.Command, []string) error { return checkConfig(p, f, daemon) },
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || cmd.Flags().Changed("config") {
				return usage.NoArguments(cmd, args)
			}
			return cmd.Flags().Set("config", args[0]) // FILE without --config, as in other programs
		},
		ValidArgsFunction: yamlFiles,
	}
	invocation.AddFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.JSON, "json", false, "print one JSON object with faults, warnings and mappings")
	cmd.Flags().BoolVar(&daemon, "daemon", false, "reject a configuration in which no mapping has a schedule")
	return cmd
}

func configShowCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	cmd := &cobra.Command{
		Use:   "show [--config FILE]",
		Short: "Show the configuration in force, with every default, as YAML",
		Long: `show reads the configuration as every command does and prints it as YAML. Every default is filled in, anchors and merge keys are
expanded, and the paths of the state and of external ids are resolved. Except for external ids, the output is an equivalent configuration.

External ids are replaced by [redacted], which no command accepts. show prints the name of the file or variable that contains an external id
only if that file or variable exists, or if the name is clearly not a secret. It redacts any other name, because a faulty template may have put
the external id itself where the name belongs.` + exit.Help("config show", 0, 1, 2, 130),
		Example: "  syncd config show --config syncd.yaml\n  diff <(syncd config show -c old.yaml) <(syncd config show -c new.yaml)",
		RunE:    func(*cobra.Command, []string) error { return showConfig(p, f) },
	}
	invocation.AddConfigFlag(cmd, &f, invocation.ConfigRequired)
	return cmd
}

// checkedConfig is the result of a check. Its JSON form is a contract: see docs/cli.md.
type checkedConfig struct {
	File     string           `json:"file"`
	Valid    bool             `json:"valid"`
	Faults   []configFault    `json:"faults"`
	Warnings []configFault    `json:"warnings"`
	Mappings []checkedMapping `json:"mappings"`
}

// configFault is a fault or a warning.
type configFault struct {
	Line    int    `json:"line"`
	Path    string `json:"path"`
	Problem string `json:"problem"`
	Hint    string `json:"hint,omitempty"`
}

// checkedMapping is a mapping of a configuration without faults.
type checkedMapping struct {
	Name        string `json:"name"`
	Source      string `json:"source"`
	Destination string `json:"destination"`
	// Method is server_side or relay.
	Method   transfer.Method `json:"method"`
	Schedule string          `json:"schedule,omitempty"`
}

func checkConfig(p invocation.Process, f invocation.Flags, isStrict bool) error {
	checks := append(invocation.Gate(), invocation.WarnUnscheduled(f))
	if isStrict {
		checks = append(invocation.Gate(), invocation.RefuseUnscheduled(f))
	}
	c, chosen, _, err := invocation.Load(p, f, append(checks, p.WarnExternalIDs, invocation.WarnSessionPolicies, invocation.WarnControlSocket)...)
	faults, isFaulty := errors.AsType[*fault.Faults](err)
	if err != nil && !isFaulty {
		return err
	}
	checked := checkedConfig{File: f.Config, Valid: err == nil, Faults: []configFault{}, Warnings: []configFault{}, Mappings: []checkedMapping{}}
	if isFaulty {
		checked.Faults = faultsOf(*faults)
	} else {
		checked.Warnings, checked.Mappings = faultsOf(c.Warnings()), mappingsOf(c, chosen)
	}
	if f.JSON {
		e := json.NewEncoder(printable.JSON(p.Stdout))
		e.SetEscapeHTML(false)
		return errors.Join(e.Encode(checked), err)
	}
	if err != nil {
		return err
	}
	for _, w := range c.Warnings() {
		printable.Fprintln(p.Stderr, "warning: "+w.String())
	}
	return printChecked(p.Stdout, checked)
}

func faultsOf(list fault.Faults) []configFault {
	faults := []configFault{}
	for _, f := range list {
		faults = append(faults, configFault{f.Line, f.Path, f.Problem, f.Hint})
	}
	return faults
}

func mappingsOf(c *config.Config, chosen []config.Mapping) []checkedMapping {
	mappings := []checkedMapping{}
	for _, m := range chosen {
		source, destination := c.Places(m)
		mappings = append(mappings, checkedMapping{
			Name: m.Name, Source: source.String(), Destination: destination.String(), Method: c.Method(m), Schedule: m.Schedule.String(),
		})
	}
	return mappings
}

func printChecked(w io.Writer, c checkedConfig) error {
	printable.Fprintf(w, "%s: no faults, %s, %s\n", c.File, terminal.Counted(len(c.Mappings), "mapping"), terminal.Counted(len(c.Warnings), "warning"))
	table := tabwriter.NewWriter(printable.Lines(w), 0, 0, 2, ' ', 0)
	for _, m := range c.Mappings {
		schedule := m.Schedule
		if schedule == "" {
			schedule = "no schedule"
		}
		printable.Fprintf(table, "  %s\t%s\t-> %s\t%s\t%s\n", m.Name, m.Source, m.Destination, m.Method, schedule)
	}
	return table.Flush()
}

func showConfig(p invocation.Process, f invocation.Flags) error {
	c, _, _, err := invocation.Load(p, f, invocation.Gate()...)
	if err != nil {
		return err
	}
	text, err := c.Show(p.LookupEnv, p.ReadFile)
	if err != nil {
		return fmt.Errorf("show configuration: %w", err)
	}
	_, err = printable.Lines(p.Stdout).Write(text)
	return err
}
