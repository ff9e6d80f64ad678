package report

import (
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"

	"syncd/internal/plan"
	"syncd/internal/printable"
	"syncd/internal/syncer"
	"syncd/internal/syncer/verify"
	"syncd/internal/terminal"
)

// Difference is one difference that a verification found. Its JSON form is a contract: see docs/cli.md.
type Difference struct {
	Mapping string              `json:"mapping"`
	Kind    plan.DifferenceKind `json:"kind"`
	// Key is the key at the source, with U+FFFD in place of invalid UTF-8. KeyBytes, in base64, is
	// set only for keys that are not valid UTF-8.
	Key      string `json:"key"`
	KeyBytes []byte `json:"key_bytes,omitempty"`
	Bytes    int64  `json:"bytes"`
	Detail   string `json:"detail,omitempty"`
	// Mendable is true if a repair tries to mend the difference, and Pending if the next pass mends it
	// anyway.
	Mendable bool `json:"mendable"`
	Pending  bool `json:"pending"`
}

// Verified is the result of a verification, with the summary of the pass that mended the differences;
// nil if there was none.
type Verified struct {
	verify.Report
	Repair *syncer.Summary `json:"repair,omitempty"`
}

// Left returns how many differences are left: all if there was no repair, and otherwise those that the
// pass could not mend.
func (v Verified) Left() int64 {
	if v.Repair == nil {
		return v.Total()
	}
	return v.Total() - v.Mendable + v.Repair.SetAside() - v.Repair.Held // held objects are not mendable
}

// Differences prints differences, one line for each.
type Differences struct {
	w      io.Writer
	format Format
	err    error // of the header
}

// Format is how differences are printed.
type Format int

// The formats of differences.
const (
	Text Format = iota
	JSONLines
	CSV
)

// NewDifferences returns Differences. With CSV it prints the header; Print returns the error of that.
func NewDifferences(w io.Writer, format Format) *Differences {
	d := &Differences{w: w, format: format}
	if format == CSV {
		d.err = d.row("mapping", "kind", "key", "bytes", "mendable", "pending", "detail")
	}
	return d
}

func (d *Differences) row(cells ...string) error {
	return printable.WriteRow(d.w, cells)
}

// Err returns the error of the header.
func (d *Differences) Err() error { return d.err }

// Print prints one difference of a mapping. In CSV, and in text, the key is quoted as in Go, because keys
// can contain any byte.
func (d *Differences) Print(mapping string, of plan.Difference) error {
	switch d.format {
	case CSV:
		if d.err != nil {
			return d.err
		}
		return d.row(mapping, string(of.Kind), strconv.Quote(of.Key), strconv.FormatInt(of.Bytes, 10), strconv.FormatBool(of.IsMended), strconv.FormatBool(of.IsPending), of.Detail)
	case JSONLines:
		line := Difference{Mapping: mapping, Kind: of.Kind, Key: of.Key, Bytes: of.Bytes, Detail: of.Detail, Mendable: of.IsMended, Pending: of.IsPending}
		if !utf8.ValidString(of.Key) {
			line.KeyBytes = []byte(of.Key)
		}
		encoder := json.NewEncoder(printable.JSON(d.w))
		encoder.SetEscapeHTML(false)
		return encoder.Encode(line)
	case Text:
	}
	_, err := printable.Fprintf(d.w, "%-12s  %12d  %s  %s\n", of.Kind, of.Bytes, strconv.Quote(of.Key), printable.Line(of.Detail))
	return err
}

// Verification prints the result of a verification.
func Verification(w io.Writer, v Verified) {
	printable.Fprintf(w, "%s: compared %s with generation %d in %s\n", v.Mapping, terminal.Objects(v.Listed), v.Generation, terminal.Seconds(v.Seconds))
	line := func(name string, n int64, text string) {
		if n > 0 {
			printable.Fprintf(w, "  %-12s %s%s\n", name, terminal.Objects(n), text)
		}
	}
	line("intact", v.Intact, "")
	line("inspected", v.Inspected, "")
	line("skipped", v.Skipped, " that the filter leaves out")
	line("kept", v.Kept, " whose source is gone")
	line("unsettled", v.Unsettled, " that a pass may be writing, not judged")
	differences := map[string]int64{}
	for kind, n := range v.Differences {
		differences[string(kind)] = n
	}
	switch {
	case v.Error != "":
		printable.Fprintf(w, "  %-12s the comparison did not end; there may be more differences\n", "incomplete")
	case len(differences) == 0:
		printable.Fprintf(w, "  no difference\n")
	}
	if len(differences) == 0 {
		return
	}
	printable.Fprintf(w, "  %-12s %s\n", "differences", terminal.ByReason(differences))
	line("pending", v.TotalPending(), " that the next pass copies anyway")
}

// Verifications is the JSON form of several verifications.
type Verifications struct {
	Verifications []Verified `json:"verifications"`
}

// VerificationsJSON prints one JSON object on one line: the verification of a single mapping by itself, and
// those of several as Verifications. Mappings is how many were to be verified.
func VerificationsJSON(w io.Writer, all []Verified, mappings int) error {
	var document any = Verifications{all}
	if mappings == 1 && len(all) == 1 {
		document = all[0]
	}
	return json.NewEncoder(printable.JSON(w)).Encode(document)
}
