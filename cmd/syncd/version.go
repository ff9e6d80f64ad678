package main

import (
	"errors"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"syncd/internal/printable"
)

func versionCommand(p process) *cobra.Command {
	var sbom bool
	var binary string
	cmd := &cobra.Command{
		Use:   "version [--sbom [--binary FILE]]",
		Short: "Print build information",
		Long: `version prints what the toolchain recorded of this program: its version, the revision it was built from, and the version of Go.
With --sbom it prints the modules that it is made of instead, as a bill of materials in CycloneDX JSON. ` + "`syncd --version`" + ` prints the
same in one line.` + exits("version", 0, 1, 2),
		Example: "  syncd version\n  syncd version --sbom > syncd.cdx.json\n  syncd version --sbom --binary dist/syncd_darwin_arm64",
		RunE: func(*cobra.Command, []string) error {
			switch {
			case sbom:
				return printBOM(p.stdout, binary)
			case binary != "":
				return &usageError{errors.New("version: --binary goes with --sbom")}
			}
			b := readBuild()
			printable.Fprintf(p.stdout, "syncd %s\nrevision %s\n%s\n", b.version, b.revision, b.goVersion)
			return nil
		},
	}
	cmd.Flags().BoolVar(&sbom, "sbom", false, "print a bill of materials in CycloneDX JSON")
	cmd.Flags().StringVar(&binary, "binary", "", "of the program in `FILE` instead of this one")
	return cmd
}

// printVersion prints the build information in one line.
func printVersion(w io.Writer) {
	b := readBuild()
	printable.Fprintf(w, "syncd %s (revision %s, %s)\n", b.version, b.revision, b.goVersion)
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
