package config

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// report collects faults while a file is decoded and then validated, and knows on which line each config path stands.
type report struct {
	file   string
	lines  map[string]int // config path -> line, for every value present in the file
	faults Faults
	// warnings are no faults; the configuration keeps them.
	warnings Faults
	hidden   *hidden
}

// maxFaults is how many faults are listed. Who reads more of them has another kind of file in hand.
const maxFaults = 100

// full reports whether no more faults are listed, so that there is no use in looking for them.
func (r *report) full() bool { return len(r.faults) >= maxFaults }

// addAt records a fault whose line is known. Of a setting with a hidden value it names no more than the setting.
func (r *report) addAt(line int, path, problem, hint string) {
	if r.full() {
		return
	}
	if p := r.hidden.above(path); p != "" {
		path, problem, hint = p, "is at fault, and has a value from below external_id, which is not quoted", "give external_id a value of its own"
	}
	r.faults = append(r.faults, Fault{File: r.file, Line: line, Path: path, Problem: problem, Hint: hint})
}

// add records a fault at the line of path, or of the nearest parent that is in the file.
func (r *report) add(path, problem, hint string) { r.addAt(r.line(path), path, problem, hint) }

// addWarning records what is no fault. Of settings with a hidden value there are only faults.
func (r *report) addWarning(path, problem, hint string) {
	if len(r.warnings) < maxFaults && r.hidden.above(path) == "" {
		r.warnings = append(r.warnings, Fault{File: r.file, Line: r.line(path), Path: path, Problem: problem, Hint: hint})
	}
}

// addErr records why a leaf was refused.
func (r *report) addErr(path string, err error) {
	if e, ok := errors.AsType[*valueError](err); ok {
		r.add(path, e.problem, e.hint)
		return
	}
	r.add(path, err.Error(), "")
}

func (r *report) line(path string) int {
	for path != "" {
		if line, ok := r.lines[path]; ok {
			return line
		}
		// A quoted key may hold dots and brackets; what is cut inside it is no known path, and the loop goes on.
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 1
}

// covers reports whether path, a parent of it or something within it is at fault already, so that its value is not
// what the file says.
func (r *report) covers(path string) bool {
	return slices.ContainsFunc(r.faults, func(f Fault) bool { return within(path, f.Path) || within(f.Path, path) })
}

// within reports whether config path a is b or lies below it.
func within(a, b string) bool {
	rest, ok := strings.CutPrefix(a, b)
	return ok && (rest == "" || b == "" || rest[0] == '.' || rest[0] == '[')
}

// sorted returns the faults by line, or nil when there are none.
func (r *report) sorted() *Faults {
	if len(r.faults) == 0 {
		return nil
	}
	r.prepare(r.faults)
	if r.full() {
		last := r.faults[maxFaults-1].Line
		r.faults = append(r.faults, Fault{File: r.file, Line: last, Problem: "there may be more faults, which are not listed", Hint: "mend these first"})
	}
	return &r.faults
}

// prepare takes from a list what must not be shown, and puts it in the order of the lines.
func (r *report) prepare(list Faults) {
	words, quote := r.hidden.replacer(), cut
	if len(r.hidden.paths) > 0 {
		quote = empty // a setting may be quoted in parts, and at others
	}
	for i := range list {
		f := &list[i]
		f.Path = eachQuoted(words.Replace(f.Path), cut)
		f.Problem, f.Hint = eachQuoted(words.Replace(f.Problem), quote), words.Replace(f.Hint)
	}
	slices.SortStableFunc(list, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
}

// child is the config path of a key below parent; a key that is not a plain word is quoted.
func child(parent, key string) string {
	if !spelled(key, "_-") {
		return parent + "[" + strconv.Quote(key) + "]"
	}
	if parent == "" {
		return key
	}
	return parent + "." + key
}

// item is the config path of a list's element.
func item(parent string, i int) string { return parent + "[" + strconv.Itoa(i) + "]" }
