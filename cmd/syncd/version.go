package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print build information",
		RunE: func(*cobra.Command, []string) error {
			b := readBuild()
			fmt.Fprintf(p.stdout, "syncd %s\nrevision %s\n%s\n", b.version, b.revision, b.goVersion)
			return nil
		},
	}
}

// build is what the toolchain recorded of the program.
type build struct{ version, revision, goVersion string }

func readBuild() build {
	b := build{version: "(devel)", revision: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.goVersion = info.GoVersion
	if info.Main.Version != "" {
		b.version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			b.revision = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			b.revision += "+modified"
		}
	}
	return b
}
