// Package buildinfo reads the build information that the Go toolchain records in a program.
//
// Info contains the version, the revision and the Go version. BOM is a bill of materials in
// CycloneDX JSON that lists the modules of the program. It has no time and no serial number, so
// that the same program always has the same BOM.
package buildinfo

import (
	"io"
	"runtime/debug"

	"syncd/internal/printable"
)

// Print prints the build information on one line.
func Print(w io.Writer) {
	b := Read()
	printable.Fprintf(w, "syncd %s (revision %s, %s)\n", b.Version, b.Revision, b.GoVersion)
}

// Info is the build information of a program.
type Info struct{ Version, Revision, GoVersion string }

// Read returns the build information of this program.
func Read() Info {
	b := Info{Version: "(devel)", Revision: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.GoVersion = info.GoVersion
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			b.Revision = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			b.Revision += "+modified"
		}
	}
	return b
}
