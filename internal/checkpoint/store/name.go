package store

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Names that are reserved in every store.
const (
	FormatName = "format.json" // record with the format of the store; mapping names have no dot, so there is no conflict
	LockName   = "lock"        // last segment of the lock's name in every mapping
)

// CheckName returns an error that satisfies errors.Is(err, fs.ErrInvalid) unless name is a valid
// record name, as defined by Store.
func CheckName(name string) error {
	segments := strings.Split(name, "/")
	if len(segments) < 2 || segments[len(segments)-1] == LockName || !allSegments(segments) {
		return fmt.Errorf("record name %q: %w", name, fs.ErrInvalid)
	}
	return nil
}

func allSegments(names []string) bool {
	return !slices.ContainsFunc(names, func(s string) bool { return !IsSegment(s) })
}

// IsSegment reports whether s matches [a-z0-9][a-z0-9._-]*, as each segment of a record name does.
func IsSegment(s string) bool {
	alphanumeric := func(c rune) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
	beyond := func(c rune) bool { return !alphanumeric(c) && !strings.ContainsRune("._-", c) }
	return s != "" && alphanumeric(rune(s[0])) && !strings.ContainsFunc(s, beyond)
}
