package fault

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"syncd/internal/hint"
)

// Report collects faults while a file is read and then judged, and knows on which line each config
// path stands.
type Report struct {
	file   string
	lines  map[string]int // config path -> line, for every value present in the file
	faults Faults
	// warnings are no faults; the configuration keeps them.
	warnings Faults
	hidden   hidden
}

// NewReport returns the report of a file that has no faults yet.
func NewReport(file string) *Report {
	return &Report{file: file, lines: map[string]int{}, hidden: newHidden()}
}

// maxFaults is how many faults are listed. Who reads more of them has another kind of file in hand.
const maxFaults = 100

// Full reports whether no more faults are listed, so that there is no use in looking for them.
func (r *Report) Full() bool { return len(r.faults) >= maxFaults }

// At notes the line of the value at path.
func (r *Report) At(path string, line int) { r.lines[path] = line }

// Hide keeps a word out of all faults.
func (r *Report) Hide(word string) { r.hidden.words[word] = true }

// HideSetting keeps the value of a setting out of all faults: it has a hidden word, which may be
// quoted in parts.
func (r *Report) HideSetting(path string) { r.hidden.paths[path] = true }

// AddAt records a fault whose line is known. Of a setting with a hidden value it names no more than
// the setting.
func (r *Report) AddAt(line int, path, problem, instead string) {
	if r.Full() {
		return
	}
	if p := r.hidden.above(path); p != "" {
		path, problem, instead = p, "is at fault, and has a value from below external_id, which is not quoted", "give external_id a value of its own"
	}
	r.faults = append(r.faults, Fault{File: r.file, Line: line, Path: path, Problem: problem, Hint: instead})
}

// Add records a fault at the line of path, or of the nearest parent that is in the file.
func (r *Report) Add(path, problem, instead string) { r.AddAt(r.line(path), path, problem, instead) }

// AddErr records why a value was refused.
func (r *Report) AddErr(path string, err error) {
	if e, ok := errors.AsType[*hint.Error](err); ok {
		r.Add(path, e.Problem, e.Hint)
		return
	}
	r.Add(path, err.Error(), "")
}

// AddWarning records what is no fault. Of settings with a hidden value there are only faults.
func (r *Report) AddWarning(path, problem, instead string) {
	if len(r.warnings) < maxFaults && r.hidden.above(path) == "" {
		r.warnings = append(r.warnings, Fault{File: r.file, Line: r.line(path), Path: path, Problem: problem, Hint: instead})
	}
}

func (r *Report) line(path string) int {
	for path != "" {
		if line, ok := r.lines[path]; ok {
			return line
		}
		// A quoted key may hold dots and brackets; what is cut inside it is no known path, and the
		// loop goes on.
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 1
}

// Covers reports whether path, a parent of it or something within it is at fault already, so that
// its value is not what the file says.
func (r *Report) Covers(path string) bool {
	return slices.ContainsFunc(r.faults, func(f Fault) bool { return within(path, f.Path) || within(f.Path, path) })
}

// Faults returns the faults by line, or nil when there are none.
func (r *Report) Faults() *Faults {
	if len(r.faults) == 0 {
		return nil
	}
	r.prepare(r.faults)
	if r.Full() {
		last := r.faults[maxFaults-1].Line
		r.faults = append(r.faults, Fault{File: r.file, Line: last, Problem: "there may be more faults, which are not listed", Hint: "mend these first"})
	}
	return &r.faults
}

// Warnings returns the warnings by line.
func (r *Report) Warnings() Faults {
	r.prepare(r.warnings)
	return r.warnings
}

// prepare takes from a list what must not be shown, and puts it in the order of the lines.
func (r *Report) prepare(list Faults) {
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
