package exit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"syncd/internal/exit"
	"syncd/internal/syncer"
)

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{exit.Usage(errors.New("x")), 2},
		{fmt.Errorf("mapping m: %w", exit.OfPass(syncer.Summary{Withheld: 1})), 3},
		{errors.Join(exit.OfPass(syncer.Summary{QuarantinedBefore: 1}), errors.New("x")), 1},
		{context.Canceled, 1},
	} {
		if got := exit.Code(tt.err); got != tt.want {
			t.Errorf("Code(%v): got %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestPrintErrorGivesEachErrorALine(t *testing.T) {
	var b bytes.Buffer
	nested := fmt.Errorf("mapping m: %w", errors.Join(errors.New("copy"), errors.New("save")))
	exit.Print(&b, errors.Join(exit.WithHint(errors.New("serve http: address in use"), "take another"), nested))
	want := "syncd: serve http: address in use; hint: take another\nsyncd: mapping m: copy; save\n"
	if got := b.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
