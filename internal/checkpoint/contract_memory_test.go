package checkpoint_test

import (
	"testing"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	checkpointtest.Run(t, func(*testing.T) checkpoint.Store { return checkpointtest.NewMemory() })
}
