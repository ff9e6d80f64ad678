package invocation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/config/fault"
	"syncd/internal/control"
	"syncd/internal/exit"
)

// Flags contains the flags that several commands share.
type Flags struct {
	Config   string
	where    string // how Config was set: "--config" or ConfigVariable; "" for the default file
	Once     []byte // the text of the configuration, if it came from standard input or a pipe
	Mappings []string
	LogLevel string
	Listen   string
	JSON     bool
	Rekey    bool
	// AllowDeletes is how many deletes of each mapping the operator has confirmed.
	AllowDeletes int64
	TakeOver     bool
	History      bool
}

const (
	// ConfigVariable is the environment variable that names the configuration if --config does not.
	// Without both, commands read defaultConfig.
	ConfigVariable = "SYNCD_CONFIG"
	defaultConfig  = "syncd.yaml"
	// StandardInput is the path that means standard input. Messages about faults call it stdinName.
	StandardInput = "-"
	stdinName     = "<stdin>"
)

// ConfigNeed says whether a command needs a configuration, and whether it looks for one if --config
// is not given.
type ConfigNeed int

// The values of ConfigNeed.
const (
	ConfigRequired ConfigNeed = iota // looks for a configuration, and fails without one
	ConfigOptional                   // looks for a configuration, and works without one
	ConfigExplicit                   // uses a configuration only with --config
)

// configFlag is the value of --config.
type configFlag struct {
	*Flags
	need    ConfigNeed
	command string // without "syncd"
}

// String returns the path.
func (v *configFlag) String() string {
	if v.Flags == nil {
		return ""
	}
	return v.Config
}

// Set sets the path.
func (v *configFlag) Set(path string) error {
	v.Config = path
	return nil
}

// Type returns the type that the help and the completion scripts use for the value.
func (v *configFlag) Type() string { return "string" }

// CommandName returns the full name of a command without "syncd", such as "policy check".
func CommandName(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// AddConfigFlag adds --config.
func AddConfigFlag(cmd *cobra.Command, f *Flags, need ConfigNeed) {
	usage := "configuration `FILE`, - for standard input (default $SYNCD_CONFIG, else ./syncd.yaml)"
	if need == ConfigExplicit {
		usage = "configuration `FILE`, - for standard input: also report which permissions its mappings lack"
	}
	cmd.Flags().VarP(&configFlag{Flags: f, need: need}, "config", "c", usage)
}

// FindConfigs makes every command that has --config find its configuration before it runs.
func FindConfigs(cmd *cobra.Command, p Process) {
	if flag := cmd.Flags().Lookup("config"); flag != nil {
		if v, ok := flag.Value.(*configFlag); ok {
			next := cmd.PreRunE
			cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
				v.command = CommandName(cmd)
				if err := v.find(cmd.Context(), p, flag.Changed); err != nil || next == nil {
					return err
				}
				return next(cmd, args)
			}
		}
	}
	for _, child := range cmd.Commands() {
		FindConfigs(child, p)
	}
}

// find determines the path of the configuration. If it can be read only once, because it is
// standard input or a pipe, find reads it.
func (v *configFlag) find(ctx context.Context, p Process, given bool) error {
	if given && v.Config == "" {
		return exit.WithHint(exit.Usage(errors.New("read configuration: --config is empty")), "set it to the path of a file, or to - for standard input")
	}
	if v.where = "--config"; !given {
		if v.need == ConfigExplicit {
			return nil
		}
		v.Config, v.where = UsualConfig(p)
	}
	switch {
	case v.Config == "" && v.need == ConfigRequired:
		return exit.WithHint(
			exit.Usage(errors.New("read configuration: no file given: --config and "+ConfigVariable+" are not set, and ./"+defaultConfig+" does not exist")),
			"use --config FILE (- for standard input), or set "+ConfigVariable,
		)
	case v.Config == StandardInput && p.Stdin == nil:
		v.Once = []byte{}
		return nil
	case v.Config == StandardInput:
		return v.readOnce(ctx, func() ([]byte, error) { return io.ReadAll(p.Stdin) })
	case isStream(v.Config):
		return v.readOnce(ctx, func() ([]byte, error) { return p.ReadFile(v.Config) })
	}
	return nil
}

// isStream reports whether path is a pipe or a device, as in --config <(command) and --config
// /dev/stdin.
func isStream(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && !info.Mode().IsRegular()
}

// readOnce reads a configuration that cannot be read again.
func (v *configFlag) readOnce(ctx context.Context, read func() ([]byte, error)) error {
	text, err := ReadUntil(ctx, v.command, read)
	if _, isInterrupted := errors.AsType[*exit.InterruptedError](err); isInterrupted {
		return err
	}
	if err != nil {
		return v.Unreadable(fmt.Errorf("read configuration from %s: %w", strings.Replace(v.source(), stdinName, "standard input", 1), err))
	}
	v.Once = append([]byte{}, text...)
	return nil
}

// ReadUntil calls read and returns its result. If ctx ends first, it returns an error without
// waiting for read, because a read of a pipe can block until the writer closes the pipe. command
// names the command in the error.
func ReadUntil(ctx context.Context, command string, read func() ([]byte, error)) ([]byte, error) {
	type result struct {
		text []byte
		err  error
	}
	ended := make(chan result, 1)
	go func() { // a read of a pipe cannot be canceled; the goroutine ends with the process
		text, err := read()
		ended <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, exit.WithHint(exit.Interrupted(command, "not all of its input was read"), "nothing was done; run it again")
	case r := <-ended:
		return r.text, r.err
	}
}

// UsualConfig returns the path of the configuration that a command reads if --config is not given,
// and in where the environment variable that names this path, "" for the default file. path is ""
// if there is no configuration.
func UsualConfig(p Process) (path, where string) {
	if path, _ := p.LookupEnv(ConfigVariable); path != "" {
		return path, ConfigVariable
	}
	if isStream(defaultConfig) {
		return defaultConfig, "" // a stream can be read only once
	}
	if _, err := p.ReadFile(defaultConfig); !errors.Is(err, fs.ErrNotExist) {
		return defaultConfig, ""
	}
	return "", ""
}

// IsReadOnce reports whether the configuration came from standard input or a pipe, and therefore
// cannot be read again.
func (f *Flags) IsReadOnce() bool { return f.Once != nil }

// source returns the name of the configuration for messages.
func (f *Flags) source() string {
	if f.Config == StandardInput {
		return stdinName
	}
	return f.Config
}

// folder returns the base folder for relative paths in a configuration that can be read only once.
// Standard input and file descriptors have no folder, so their base is the working directory.
func (f *Flags) folder() string {
	if f.Config == StandardInput || strings.HasPrefix(f.Config, "/dev/") || strings.HasPrefix(f.Config, "/proc/") {
		return "."
	}
	return filepath.Dir(f.Config)
}

// load reads the configuration and applies the checks. If the file cannot be read, for any reason,
// it returns a usage error.
func (f *Flags) load(checks ...config.Check) (*config.Config, error) {
	if f.IsReadOnce() {
		return config.Read(bytes.NewReader(f.Once), f.source(), f.folder(), checks...)
	}
	c, err := config.Load(f.Config, checks...)
	if _, isFaulty := errors.AsType[*fault.Faults](err); err == nil || isFaulty {
		return c, err
	}
	return nil, f.Unreadable(err)
}

// Unreadable returns the usage error for a configuration that cannot be read, with a hint.
func (f *Flags) Unreadable(err error) error {
	hint := f.namedBy()
	switch {
	case errors.Is(err, syscall.EISDIR):
		hint = "give the path of the file in that folder"
	case errors.Is(err, fs.ErrPermission):
		hint = "make the file readable for this user, or run the command as a user who can read it"
	}
	return exit.WithHint(exit.Usage(err), hint)
}

// namedBy returns a hint that says where to correct the path of the configuration.
func (f *Flags) namedBy() string {
	if f.Config == StandardInput {
		return "give the path of the configuration with --config, or write it to standard input"
	}
	if f.where == ConfigVariable {
		return "correct the variable " + ConfigVariable + ", or name another file with --config"
	}
	return "give the path of the configuration with --config"
}

// AddFlags adds the flags that every command with a configuration has.
func AddFlags(cmd *cobra.Command, f *Flags) {
	AddConfigFlag(cmd, f, ConfigRequired)
	cmd.Flags().StringArrayVarP(&f.Mappings, "mapping", "m", nil, mappingUsage(cmd.Name()))
	cmd.Flags().StringVar(&f.LogLevel, "log-level", "", "lowest `LEVEL` to log: debug, info, warn or error (default: log.level in the configuration)")
}

// mappingUsage returns the description of --mapping for a command.
func mappingUsage(command string) string {
	switch command {
	case "export":
		return "the mapping `NAME` (required, exactly one)"
	case "rename":
		return "the new `NAME` of the mapping (required, exactly one)"
	case string(control.Rekey):
		return "the mapping `NAME`; may be repeated (required)"
	case string(control.Trigger), string(control.Pause), string(control.Resume):
		return "the mapping `NAME`; may be repeated (required without --all)"
	default:
		return "only the mapping `NAME`; may be repeated (default all)"
	}
}
