// Package buildinfo reads what the toolchain recorded of a program.
//
// It promises two views of it: Info, which is the version, the revision and the version of Go, and
// BOM, a bill of materials in CycloneDX JSON, which has the modules that the program is made of.
// One program has one bill: it bears no time and no serial number.
//
// It leaves to the commands when which of them is printed.
package buildinfo

import (
	"io"
	"runtime/debug"

	"syncd/internal/printable"
)

// Print prints the build information in one line.
func Print(w io.Writer) {
	b := Read()
	printable.Fprintf(w, "syncd %s (revision %s, %s)\n", b.Version, b.Revision, b.GoVersion)
}

// Info is what the toolchain recorded of the program.
type Info struct{ Version, Revision, GoVersion string }

// Read returns what the toolchain recorded of this program.
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
