package report

import (
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"

	"syncd/internal/plan"
	"syncd/internal/printable"
	"syncd/internal/syncer/preview"
)

// Step is one action of a plan. Its JSON form is a contract: see docs/cli.md.
type Step struct {
	Mapping string `json:"mapping"`
	// Action is copy, adopt, delete, skip, hold, keep or quarantine.
	Action string `json:"action"`
	Reason string `json:"reason"`
	// Key is the key at the source, with U+FFFD in place of invalid UTF-8. KeyBytes, in base64, is
	// set only for keys that are not valid UTF-8.
	Key      string `json:"key"`
	KeyBytes []byte `json:"key_bytes,omitempty"`
	Bytes    int64  `json:"bytes"`
}

// StepOf returns what a pass would do with an object.
func StepOf(mapping string, f preview.Fate) Step {
	s := Step{Mapping: mapping, Action: "skip", Reason: string(f.Reason), Key: f.Object.Key, Bytes: f.Object.Size}
	switch {
	case f.Refused != "":
		s.Action, s.Reason = "quarantine", f.Refused
	case f.Looks:
		s.Action = "adopt"
	case f.Kind == plan.Copy:
		s.Action = "copy"
	case f.Kind == plan.Delete:
		s.Action, s.Bytes = "delete", f.Previous.Source.Size
	case f.Reason == plan.Held:
		s.Action, s.Reason = "hold", f.SetAside.Reason
	case f.Reason == plan.Gone:
		s.Action = "keep"
		if f.Previous != nil {
			s.Bytes = f.Previous.Source.Size
		}
	}
	if !utf8.ValidString(s.Key) {
		s.KeyBytes = []byte(s.Key)
	}
	return s
}

// PrintStep prints one action on one line.
func PrintStep(w io.Writer, s Step, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(printable.JSON(w))
		encoder.SetEscapeHTML(false)
		return encoder.Encode(s)
	}
	_, err := printable.Fprintf(w, "%-10s  %-12s  %12d  %s\n", s.Action, s.Reason, s.Bytes, strconv.Quote(s.Key))
	return err
}

// Plans is the JSON form of several plans.
type Plans struct {
	Plans []preview.Pass `json:"plans"`
}

// PlansJSON prints one JSON object on one line: a single plan by itself, several as Plans.
func PlansJSON(w io.Writer, all []preview.Pass) error {
	var document any = Plans{all}
	if len(all) == 1 {
		document = all[0]
	}
	return json.NewEncoder(printable.JSON(w)).Encode(document)
}
