package decode

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"syncd/internal/hint"
)

// fields lists a struct's keys in the order of its fields, and the keys that are required.
func fields(t reflect.Type) (names, required []string) {
	for f := range t.Fields() {
		if !f.IsExported() {
			break // unexported fields come last; the file has no keys for them
		}
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		names = append(names, name)
		if f.Tag.Get("jsonschema") == "required" {
			required = append(required, name)
		}
	}
	return names, required
}

// suggestKey returns the hint for an unknown key of a section: the key that was probably intended,
// the sections under root that have the key, or all keys of the section.
func suggestKey(key string, keys []string, root reflect.Type) string {
	if meant := hint.DidYouMean(key, keys); meant != "" {
		return meant
	}
	if homes := homesOf(key, root, ""); len(homes) > 0 {
		return "it belongs to " + strings.Join(homes, " or ")
	}
	return hint.OneOf(key, keys)
}

// homesOf returns the config paths of the sections that have a key. It searches the type passed as
// of, whose own config path is path, and all types nested in it.
func homesOf(key string, of reflect.Type, path string) (homes []string) {
	switch of.Kind() { //nolint:exhaustive // the others have no sections
	case reflect.Map:
		return homesOf(key, of.Elem(), path+".NAME")
	case reflect.Slice:
		return homesOf(key, of.Elem(), path+"[]")
	case reflect.Struct:
	default:
		return nil
	}
	names, _ := fields(of)
	if slices.Contains(names, key) {
		homes = append(homes, cmp.Or(strings.TrimPrefix(path, "."), "the top level"))
	}
	for i, name := range names {
		if name != "" {
			homes = append(homes, homesOf(key, of.Field(i).Type, path+"."+name)...)
		}
	}
	return homes
}
