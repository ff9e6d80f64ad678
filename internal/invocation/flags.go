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

// Flags are those that several commands share.
type Flags struct {
	Config   string
	where    string // what named config, "" for the file that is read when nothing does
	Once     []byte // the configuration, when it came from standard input or a pipe
	Mappings []string
	LogLevel string
	Listen   string
	JSON     bool
	Rekey    bool
	TakeOver bool
	History  bool
}

const (
	// ConfigVariable names the configuration where --config does not, and defaultConfig is the file
	// that is read where neither does.
	ConfigVariable = "SYNCD_CONFIG"
	defaultConfig  = "syncd.yaml"
	// StandardInput is the path that stands for standard input, and stdinName what it is called in
	// faults.
	StandardInput = "-"
	stdinName     = "<stdin>"
)

// ConfigNeed says what a command does without --config.
type ConfigNeed int

// What a command does without --config.
const (
	ConfigRequired ConfigNeed = iota // looks for a configuration, and cannot work without
	ConfigOptional                   // looks for one, and works without
	ConfigExplicit                   // takes one only from --config
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

// Set takes the path.
func (v *configFlag) Set(path string) error {
	v.Config = path
	return nil
}

// Type is what the help and the shells' scripts take the value for.
func (v *configFlag) Type() string { return "string" }

// CommandName is what a command is called after "syncd", with the command above it.
func CommandName(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// AddConfigFlag adds --config.
func AddConfigFlag(cmd *cobra.Command, f *Flags, need ConfigNeed) {
	usage := "configuration `FILE`, - for standard input (default $SYNCD_CONFIG, else ./syncd.yaml)"
	if need == ConfigExplicit {
		usage = "`FILE` with the configuration whose mappings have to work, - for standard input"
	}
	cmd.Flags().VarP(&configFlag{Flags: f, need: need}, "config", "c", usage)
}

// FindConfigs has every command that takes a configuration find it before it runs.
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

// find says where the configuration is, and reads it when that can be done once: standard input, or
// a file that is a pipe.
func (v *configFlag) find(ctx context.Context, p Process, given bool) error {
	if given && v.Config == "" {
		return exit.WithHint(exit.Usage(errors.New("read configuration: --config is empty")), "give it the path of a file, or - for standard input")
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
			exit.Usage(errors.New("read configuration: none was named: there is no --config, "+ConfigVariable+" is not set, and there is no ./"+defaultConfig)),
			"name it with --config FILE (- is standard input), or set "+ConfigVariable,
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

// isStream reports whether a path is that of a pipe or a device, as in --config <(command) and
// --config /dev/stdin.
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

// ReadUntil reads until ctx ends: who writes to a pipe may take any time to close it.
func ReadUntil(ctx context.Context, command string, read func() ([]byte, error)) ([]byte, error) {
	type result struct {
		text []byte
		err  error
	}
	ended := make(chan result, 1)
	go func() { // a read of a pipe cannot be ended; the process ends when nothing waits for it any more
		text, err := read()
		ended <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, exit.WithHint(exit.Interrupted(command, "its input was not read to the end"), "nothing was done; run it again")
	case r := <-ended:
		return r.text, r.err
	}
}

// UsualConfig returns the configuration that is read without --config, and what names it; "" where
// there is none.
func UsualConfig(p Process) (path, where string) {
	if path, _ := p.LookupEnv(ConfigVariable); path != "" {
		return path, ConfigVariable
	}
	if isStream(defaultConfig) {
		return defaultConfig, "" // not to be read twice
	}
	if _, err := p.ReadFile(defaultConfig); !errors.Is(err, fs.ErrNotExist) {
		return defaultConfig, ""
	}
	return "", ""
}

// IsReadOnce reports whether the configuration was read from standard input or a pipe, so that it
// cannot be read again.
func (f *Flags) IsReadOnce() bool { return f.Once != nil }

// source is what the configuration is called in messages.
func (f *Flags) source() string {
	if f.Config == StandardInput {
		return stdinName
	}
	return f.Config
}

// folder is where relative paths in a configuration that is read once start: for a descriptor of
// the process, which has no folder, the working one.
func (f *Flags) folder() string {
	if f.Config == StandardInput || strings.HasPrefix(f.Config, "/dev/") || strings.HasPrefix(f.Config, "/proc/") {
		return "."
	}
	return filepath.Dir(f.Config)
}

// load reads the configuration, and has checks look at it too. One that cannot be read has to be
// named otherwise, whatever the reason.
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

// Unreadable is the error of a configuration that was named and cannot be read.
func (f *Flags) Unreadable(err error) error {
	hint := f.namedBy()
	switch {
	case errors.Is(err, syscall.EISDIR):
		hint = "name the file in that folder"
	case errors.Is(err, fs.ErrPermission):
		hint = "let this user read the file, or run the command as one that may"
	}
	return exit.WithHint(exit.Usage(err), hint)
}

// namedBy says where to correct the path of the configuration.
func (f *Flags) namedBy() string {
	if f.Config == StandardInput {
		return "give the path of the configuration with --config, or write it to standard input"
	}
	if f.where == ConfigVariable {
		return ConfigVariable + " names it: correct the variable, or name another file with --config"
	}
	return "give the path of the configuration with --config"
}

// AddFlags adds the flags that every command on a configuration has.
func AddFlags(cmd *cobra.Command, f *Flags) {
	AddConfigFlag(cmd, f, ConfigRequired)
	cmd.Flags().StringArrayVarP(&f.Mappings, "mapping", "m", nil, mappingUsage(cmd.Name()))
	cmd.Flags().StringVar(&f.LogLevel, "log-level", "", "log from `LEVEL` on: debug, info, warn or error, over log.level of the configuration")
}

// mappingUsage says which mappings a command takes.
func mappingUsage(command string) string {
	switch command {
	case "export":
		return "the mapping `NAME` (required, one)"
	case "rename":
		return "the `NAME` that the mapping has now (required, one)"
	case string(control.Rekey):
		return "the mapping `NAME`; may be repeated (required)"
	case string(control.Trigger), string(control.Pause), string(control.Resume):
		return "the mapping `NAME`; may be repeated (required without --all)"
	default:
		return "only the mapping `NAME`; may be repeated (default all)"
	}
}
