package main

import (
	"go/parser"
	"go/token"
	"testing"
)

// TestZonesAreInTheBinary checks that the binary contains the time zone database, because a scratch
// image has none.
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
