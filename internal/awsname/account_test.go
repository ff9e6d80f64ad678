package awsname_test

import (
	"testing"

	"syncd/internal/awsname"
)

func TestAccounts(t *testing.T) {
	for text, want := range map[string]bool{"012345678901": true, "12345678901": false, "0123-4567-8901": false, "01234567890a": false, "": false} {
		if got := awsname.IsAccount(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
