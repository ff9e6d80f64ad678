package main

import (
	"io"
	"runtime/debug"

	"syncd/internal/printable"
)

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
