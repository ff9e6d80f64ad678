package store

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Names that every store keeps for itself.
const (
	FormatName = "format.json" // names the format of a whole store; no mapping has a dot
	LockName   = "lock"        // one in every mapping's folder
)

// CheckName returns an error that satisfies errors.Is(err, fs.ErrInvalid) unless name is that of a
// record, as Store defines it.
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

// IsSegment reports whether s is [a-z0-9][a-z0-9._-]*, as the parts of a record's name are.
func IsSegment(s string) bool {
	alphanumeric := func(c rune) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
	beyond := func(c rune) bool { return !alphanumeric(c) && !strings.ContainsRune("._-", c) }
	return s != "" && alphanumeric(rune(s[0])) && !strings.ContainsFunc(s, beyond)
}
