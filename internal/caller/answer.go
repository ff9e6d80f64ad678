package caller

import (
	"encoding/json"
	"fmt"
	"io"

	"syncd/internal/control"
	"syncd/internal/exit"
	"syncd/internal/printable"
	"syncd/internal/syncer"
)

// Print prints an answer, as JSON if asJSON is true. As text, it prints only answers that are not
// failures.
func Print(w io.Writer, a control.Answer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(printable.JSON(w)).Encode(a)
	}
	switch a.Outcome {
	case control.Done:
		_, err := printable.Fprintf(w, "%s: %s: %s\n", a.Mapping, a.What, a.Text)
		return err
	case control.Accepted:
		_, err := printable.Fprintf(w, "%s: %s accepted by %s, not finished yet; `syncd status` shows its progress\n", a.Mapping, a.What, a.By)
		return err
	case control.Pending:
		_, err := printable.Fprintf(w, "%s: %s requested; a daemon with this mapping will carry it out\n", a.Mapping, a.What)
		return err
	case control.Failed, control.Refused, control.Expired, control.Withdrawn: // reported as errors
	}
	return nil
}

// Failure returns an error if the outcome of an answer is a failure, and nil otherwise.
func Failure(a control.Answer) error {
	switch a.Outcome {
	case control.Done:
		summary, _ := Summary(a)
		return exit.OfPass(summary)
	case control.Failed, control.Refused, control.Expired, control.Withdrawn:
		err := fmt.Errorf("%s %s: %s", a.What, a.Outcome, a.Text)
		if a.Hint != "" {
			return exit.WithHint(err, a.Hint)
		}
		return err
	case control.Accepted, control.Pending:
	}
	return nil
}

// Summary returns the summary of the pass in an answer, if there is one.
func Summary(a control.Answer) (summary syncer.Summary, ok bool) {
	if len(a.Summary) == 0 {
		return syncer.Summary{}, false
	}
	return summary, json.Unmarshal(a.Summary, &summary) == nil
}
