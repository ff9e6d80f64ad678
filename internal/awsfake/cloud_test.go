package awsfake_test

import (
	"testing"

	"syncd/internal/awsfake"
)

func TestSeedRepeats(t *testing.T) {
	id := func(seed uint64) string {
		return awsfake.New(awsfake.Options{Seed: seed}).Account("111111111111").CreateUser("u").AccessKeyID
	}
	first, again, other := id(1), id(1), id(2)
	if first != again || first == other {
		t.Errorf("seed 1 gave %s and %s, seed 2 gave %s", first, again, other)
	}
	if one, two := id(0), id(0); one == two {
		t.Errorf("no seed gave %s twice", one)
	}
}
