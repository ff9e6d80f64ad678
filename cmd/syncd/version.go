package main

import (
	"errors"

	"github.com/spf13/cobra"

	"syncd/internal/buildinfo"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/printable"
)

func versionCommand(p invocation.Process) *cobra.Command {
	var sbom bool
	var binary string
	cmd := &cobra.Command{
		Use:   "version [--sbom [--binary FILE]]",
		Short: "Print build information",
		Long: `version prints the version of this program, the revision it was built from, and the Go version. With --sbom it instead prints the
modules it was built from, as a bill of materials in CycloneDX JSON. ` + "`syncd --version`" + ` prints the version on one line.` + exit.Help("version", 0, 1, 2),
		Example: "  syncd version\n  syncd version --sbom > syncd.cdx.json\n  syncd version --sbom --binary dist/syncd_darwin_arm64",
		RunE: func(*cobra.Command, []string) error {
			switch {
			case sbom:
				return buildinfo.PrintBOM(p.Stdout, binary)
			case binary != "":
				return exit.Usage(errors.New("version: --binary requires --sbom"))
			}
			b := buildinfo.Read()
			printable.Fprintf(p.Stdout, "syncd %s\nrevision %s\n%s\n", b.Version, b.Revision, b.GoVersion)
			return nil
		},
	}
	cmd.Flags().BoolVar(&sbom, "sbom", false, "print a bill of materials in CycloneDX JSON")
	cmd.Flags().StringVar(&binary, "binary", "", "with --sbom, describe the program in `FILE` instead of this one")
	return cmd
}
