package fault

import (
	"strconv"
	"strings"

	"syncd/internal/ascii"
)

// Child returns the config path of a key under parent; a key that is not a plain word is quoted.
func Child(parent, key string) string {
	if !ascii.Word(key, "_-") {
		return parent + "[" + strconv.Quote(key) + "]"
	}
	if parent == "" {
		return key
	}
	return parent + "." + key
}

// Item returns the config path of a list element.
func Item(parent string, i int) string { return parent + "[" + strconv.Itoa(i) + "]" }

// within reports whether config path a is b or under b.
func within(a, b string) bool {
	rest, ok := strings.CutPrefix(a, b)
	return ok && (rest == "" || b == "" || rest[0] == '.' || rest[0] == '[')
}
