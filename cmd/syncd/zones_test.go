package main

import (
	"go/parser"
	"go/token"
	"testing"
)

// A scratch image has no time zone database, so the binary must contain one.
func TestZonesAreInTheBinary(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range file.Imports {
		if i.Path.Value == `"time/tzdata"` {
			return
		}
	}
	t.Error("main.go does not import time/tzdata: CRON_TZ=Europe/Berlin is refused in an image from scratch")
}
