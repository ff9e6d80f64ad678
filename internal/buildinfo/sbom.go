package buildinfo

import (
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"syncd/internal/printable"
)

// BOM is a bill of materials in the JSON format of CycloneDX 1.6 ("CycloneDX Specification",
// ECMA-424). It contains the modules and build settings that the Go toolchain records in a program.
// It has no serial number and no time, so that the same program always has the same BOM.
type BOM struct {
	Format       string          `json:"bomFormat"`
	SpecVersion  string          `json:"specVersion"`
	Version      int             `json:"version"`
	Metadata     bomMetadata     `json:"metadata"`
	Components   []Component     `json:"components"`
	Dependencies []bomDependency `json:"dependencies"`
}

type bomMetadata struct {
	Component Component `json:"component"`
}

// Component is a module, or the program itself.
type Component struct {
	Type       string        `json:"type"`
	Ref        string        `json:"bom-ref"`
	Name       string        `json:"name"`
	Version    string        `json:"version"`
	PURL       string        `json:"purl"`
	Properties []bomProperty `json:"properties,omitempty"`
}

type bomProperty struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type bomDependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// PrintBOM prints the bill of materials of the program in file, or of this program if file is "".
func PrintBOM(w io.Writer, file string) error {
	info, err := readBuildOf(file)
	if err != nil {
		return fmt.Errorf("read build information: %w", err)
	}
	e := json.NewEncoder(printable.JSON(w))
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(bomOf(info))
}

func readBuildOf(file string) (*debug.BuildInfo, error) {
	if file != "" {
		return buildinfo.ReadFile(file)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, fmt.Errorf("this program has no build information")
	}
	return info, nil
}

func bomOf(info *debug.BuildInfo) BOM {
	program := componentOf("application", info.Main)
	for _, s := range info.Settings {
		program.Properties = append(program.Properties, bomProperty{"go:build:" + s.Key, s.Value})
	}
	// The standard library is a component too: vulnerability scanners must find it.
	components := []Component{componentOf("library", debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")})}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		components = append(components, componentOf("library", *m))
	}
	refs := make([]string, len(components))
	for i, c := range components {
		refs[i] = c.Ref
	}
	return BOM{
		Format: "CycloneDX", SpecVersion: "1.6", Version: 1, Metadata: bomMetadata{program}, Components: components,
		Dependencies: []bomDependency{{program.Ref, refs}},
	}
}

// componentOf returns the component for a module, with its package URL ("Package URL
// specification", type golang).
func componentOf(kind string, m debug.Module) Component {
	version := cmp.Or(m.Version, "(devel)")
	purl := "pkg:golang/" + m.Path + "@" + strings.NewReplacer("+", "%2B", "(", "%28", ")", "%29").Replace(version)
	c := Component{Type: kind, Ref: purl, Name: m.Path, Version: version, PURL: purl}
	if m.Sum != "" {
		c.Properties = []bomProperty{{"go:sum", m.Sum}}
	}
	return c
}
