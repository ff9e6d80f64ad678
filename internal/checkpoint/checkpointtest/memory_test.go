package checkpointtest_test

import (
	"testing"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
)

func TestMemoryFulfillsTheContract(t *testing.T) {
	t.Parallel()
	checkpointtest.Run(t, func(*testing.T) store.Store { return checkpointtest.NewMemory() })
}
