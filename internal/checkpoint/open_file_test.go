package checkpoint_test

import (
	"testing"

	filestore "syncd/internal/checkpoint/store/file"
)

func openFile(t *testing.T, dir string) *filestore.Store {
	t.Helper()
	store, err := filestore.Open(dir)
	if err != nil {
		t.Fatalf("open folder: %v", err)
	}
	return store
}
