package main

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
)

const (
	// configVariable names the configuration where --config does not, and defaultConfig is the file that is read where neither does.
	configVariable = "SYNCD_CONFIG"
	defaultConfig  = "syncd.yaml"
	// standardInput is the path that stands for standard input, and stdinName what it is called in faults.
	standardInput = "-"
	stdinName     = "<stdin>"
)

// configNeed says what a command does without --config.
type configNeed int

const (
	configRequired configNeed = iota // looks for a configuration, and cannot work without
	configOptional                   // looks for one, and works without
	configExplicit                   // takes one only from --config
)

// configFlag is the value of --config.
type configFlag struct {
	*flags
	need    configNeed
	command string // without "syncd"
}

func (v *configFlag) String() string {
	if v.flags == nil {
		return ""
	}
	return v.config
}

// Set takes the path.
func (v *configFlag) Set(path string) error {
	v.config = path
	return nil
}

// Type is what the help and the shells' scripts take the value for.
func (v *configFlag) Type() string { return "string" }

// addConfigFlag adds --config.
func addConfigFlag(cmd *cobra.Command, f *flags, need configNeed) {
	usage := "configuration `FILE`, - for standard input (default $SYNCD_CONFIG, else ./syncd.yaml)"
	if need == configExplicit {
		usage = "`FILE` with the configuration whose mappings have to work, - for standard input"
	}
	cmd.Flags().VarP(&configFlag{flags: f, need: need}, "config", "c", usage)
}

// findConfigs has every command that takes a configuration find it before it runs.
func findConfigs(cmd *cobra.Command, p process) {
	if flag := cmd.Flags().Lookup("config"); flag != nil {
		if v, ok := flag.Value.(*configFlag); ok {
			next := cmd.PreRunE
			cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
				v.command = commandName(cmd)
				if err := v.find(cmd.Context(), p, flag.Changed); err != nil || next == nil {
					return err
				}
				return next(cmd, args)
			}
		}
	}
	for _, child := range cmd.Commands() {
		findConfigs(child, p)
	}
}

// find says where the configuration is, and reads it when that can be done once: standard input, or a file that is a pipe.
func (v *configFlag) find(ctx context.Context, p process, given bool) error {
	if given && v.config == "" {
		return &hinted{&usageError{errors.New("read configuration: --config is empty")}, "give it the path of a file, or - for standard input"}
	}
	if v.where = "--config"; !given {
		if v.need == configExplicit {
			return nil
		}
		v.config, v.where = usualConfig(p)
	}
	switch {
	case v.config == "" && v.need == configRequired:
		return &hinted{
			&usageError{errors.New("read configuration: none was named: there is no --config, " + configVariable + " is not set, and there is no ./" + defaultConfig)},
			"name it with --config FILE (- is standard input), or set " + configVariable,
		}
	case v.config == standardInput && p.stdin == nil:
		v.once = []byte{}
		return nil
	case v.config == standardInput:
		return v.readOnce(ctx, func() ([]byte, error) { return io.ReadAll(p.stdin) })
	case isStream(v.config):
		return v.readOnce(ctx, func() ([]byte, error) { return p.readFile(v.config) })
	}
	return nil
}

// isStream reports whether a path is that of a pipe or a device, as in --config <(command) and --config /dev/stdin.
func isStream(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && !info.Mode().IsRegular()
}

// readOnce reads a configuration that cannot be read again.
func (v *configFlag) readOnce(ctx context.Context, read func() ([]byte, error)) error {
	text, err := readUntil(ctx, v.command, read)
	if _, isInterrupted := errors.AsType[*interruptedError](err); isInterrupted {
		return err
	}
	if err != nil {
		return v.unreadable(fmt.Errorf("read configuration from %s: %w", strings.Replace(v.source(), stdinName, "standard input", 1), err))
	}
	v.once = append([]byte{}, text...)
	return nil
}

// readUntil reads until ctx ends: who writes to a pipe may take any time to close it.
func readUntil(ctx context.Context, command string, read func() ([]byte, error)) ([]byte, error) {
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
		return nil, &hinted{&interruptedError{command, "its input was not read to the end"}, "nothing was done; run it again"}
	case r := <-ended:
		return r.text, r.err
	}
}

// usualConfig returns the configuration that is read without --config, and what names it; "" where there is none.
func usualConfig(p process) (path, where string) {
	if path, _ := p.lookupEnv(configVariable); path != "" {
		return path, configVariable
	}
	if isStream(defaultConfig) {
		return defaultConfig, "" // not to be read twice
	}
	if _, err := p.readFile(defaultConfig); !errors.Is(err, fs.ErrNotExist) {
		return defaultConfig, ""
	}
	return "", ""
}

// isReadOnce reports whether the configuration was read from standard input or a pipe, so that it cannot be read again.
func (f *flags) isReadOnce() bool { return f.once != nil }

// source is what the configuration is called in messages.
func (f *flags) source() string {
	if f.config == standardInput {
		return stdinName
	}
	return f.config
}

// folder is where relative paths in a configuration that is read once start: for a descriptor of the process, which has no folder, the
// working one.
func (f *flags) folder() string {
	if f.config == standardInput || strings.HasPrefix(f.config, "/dev/") || strings.HasPrefix(f.config, "/proc/") {
		return "."
	}
	return filepath.Dir(f.config)
}

// load reads the configuration, and has checks look at it too. One that cannot be read has to be named otherwise, whatever the reason.
func (f *flags) load(checks ...config.Check) (*config.Config, error) {
	if f.isReadOnce() {
		return config.Read(bytes.NewReader(f.once), f.source(), f.folder(), checks...)
	}
	c, err := config.Load(f.config, checks...)
	if _, isFaulty := errors.AsType[*config.Faults](err); err == nil || isFaulty {
		return c, err
	}
	return nil, f.unreadable(err)
}

// unreadable is the error of a configuration that was named and cannot be read.
func (f *flags) unreadable(err error) error {
	hint := f.namedBy()
	switch {
	case errors.Is(err, syscall.EISDIR):
		hint = "name the file in that folder"
	case errors.Is(err, fs.ErrPermission):
		hint = "let this user read the file, or run the command as one that may"
	}
	return &hinted{&usageError{err}, hint}
}

// namedBy says where to correct the path of the configuration.
func (f *flags) namedBy() string {
	if f.config == standardInput {
		return "give the path of the configuration with --config, or write it to standard input"
	}
	if f.where == configVariable {
		return configVariable + " names it: correct the variable, or name another file with --config"
	}
	return "give the path of the configuration with --config"
}
