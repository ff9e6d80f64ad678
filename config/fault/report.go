package fault

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"syncd/internal/hint"
)

// Report collects faults while a file is parsed and validated. It maps each config path to its
// line.
type Report struct {
	file   string
	lines  map[string]int // config path -> line, for every value present in the file
	faults Faults
	// warnings do not reject the configuration; Config.Warnings returns them.
	warnings Faults
	hidden   hidden
}

// NewReport returns an empty report about a file.
func NewReport(file string) *Report {
	return &Report{file: file, lines: map[string]int{}, hidden: newHidden()}
}

// maxFaults is how many faults are listed. A file with more is probably not a configuration file.
const maxFaults = 100

// Full reports whether the list is full, so that looking for more faults is pointless.
func (r *Report) Full() bool { return len(r.faults) >= maxFaults }

// At records the line of the value at path.
func (r *Report) At(path string, line int) { r.lines[path] = line }

// Hide redacts a word in all faults.
func (r *Report) Hide(word string) { r.hidden.words[word] = true }

// HideSetting hides the whole value of a setting that contains a hidden word, because a fault could
// quote part of the value.
func (r *Report) HideSetting(path string) { r.hidden.paths[path] = true }

// AddAt records a fault at a known line. For a hidden setting it records only that the setting has
// a fault.
func (r *Report) AddAt(line int, path, problem, instead string) {
	if r.Full() {
		return
	}
	if p := r.hidden.above(path); p != "" {
		path, problem, instead = p, "is invalid, and is not shown because it contains a value that is set under external_id", "use a value for external_id that appears nowhere else in the file"
	}
	r.faults = append(r.faults, Fault{File: r.file, Line: line, Path: path, Problem: problem, Hint: instead})
}

// Add records a fault at the line of path, or of its nearest parent in the file.
func (r *Report) Add(path, problem, instead string) { r.AddAt(r.line(path), path, problem, instead) }

// AddErr records err as the fault of the value at path.
func (r *Report) AddErr(path string, err error) {
	if e, ok := errors.AsType[*hint.Error](err); ok {
		r.Add(path, e.Problem, e.Hint)
		return
	}
	r.Add(path, err.Error(), "")
}

// AddWarning records a warning. Hidden settings get no warnings.
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
		// A quoted key may contain dots and brackets. A path that is cut inside such a key has no
		// line, so the loop cuts it again.
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 1
}

// Covers reports whether path, one of its parents or a path under it already has a fault. If so,
// the decoded value may differ from the one in the file.
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
		r.faults = append(r.faults, Fault{File: r.file, Line: last, Problem: "there may be more faults, which are not listed", Hint: "fix these first"})
	}
	return &r.faults
}

// Warnings returns the warnings by line.
func (r *Report) Warnings() Faults {
	r.prepare(r.warnings)
	return r.warnings
}

// prepare redacts what must not be shown, and sorts a list by line.
func (r *Report) prepare(list Faults) {
	words, quote := r.hidden.replacer(), cut
	if len(r.hidden.paths) > 0 {
		quote = empty // faults of this setting and of other settings may quote part of its value
	}
	for i := range list {
		f := &list[i]
		f.Path = eachQuoted(words.Replace(f.Path), cut)
		f.Problem, f.Hint = eachQuoted(words.Replace(f.Problem), quote), words.Replace(f.Hint)
	}
	slices.SortStableFunc(list, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
}
