package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	need configNeed
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
	cmd.Flags().VarP(&configFlag{f, need}, "config", "c", usage)
}

// findConfigs has every command that takes a configuration find it before it runs.
func findConfigs(cmd *cobra.Command, p process) {
	if flag := cmd.Flags().Lookup("config"); flag != nil {
		if v, ok := flag.Value.(*configFlag); ok {
			next := cmd.PreRunE
			cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
				if err := v.find(p, flag.Changed); err != nil || next == nil {
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

// find says where the configuration is, and reads it when that is standard input, which can be read once.
func (v *configFlag) find(p process, given bool) error {
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
	case v.config != standardInput:
		return nil
	case p.stdin == nil:
		v.stdin = []byte{}
		return nil
	}
	var err error
	if v.stdin, err = io.ReadAll(p.stdin); err != nil {
		return fmt.Errorf("read configuration from standard input: %w", err)
	}
	return nil
}

// usualConfig returns the configuration that is read without --config, and what names it; "" where there is none.
func usualConfig(p process) (path, where string) {
	if path, _ := p.lookupEnv(configVariable); path != "" {
		return path, configVariable
	}
	if _, err := p.readFile(defaultConfig); !errors.Is(err, fs.ErrNotExist) {
		return defaultConfig, ""
	}
	return "", ""
}

// fromStdin reports whether the configuration was read from standard input, so that it cannot be read again.
func (f *flags) fromStdin() bool { return f.config == standardInput && f.stdin != nil }

// load reads the configuration, and has checks look at it too.
func (f *flags) load(checks ...config.Check) (*config.Config, error) {
	if f.fromStdin() {
		return config.Read(bytes.NewReader(f.stdin), stdinName, ".", checks...)
	}
	c, err := config.Load(f.config, checks...)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &hinted{&usageError{err}, f.namedBy()}
	case errors.Is(err, syscall.EISDIR):
		return nil, &hinted{&usageError{err}, "name the file in that folder"}
	}
	return c, err
}

// namedBy says where the path of the configuration is to be corrected.
func (f *flags) namedBy() string {
	if f.where == configVariable {
		return configVariable + " names it: correct the variable, or name another file with --config"
	}
	return "give the path of the configuration with --config"
}
