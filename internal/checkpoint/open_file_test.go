package checkpoint_test

import (
	"testing"

	"syncd/internal/checkpoint"
)

func openFile(t *testing.T, dir string) *checkpoint.File {
	t.Helper()
	store, err := checkpoint.OpenFile(dir)
	if err != nil {
		t.Fatalf("open folder: %v", err)
	}
	return store
}
