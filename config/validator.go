package config

import (
	"strconv"
	"time"

	"syncd/config/fault"
	"syncd/config/value"
)

// validator records what no single value can know: bounds, references and overlaps. Values whose
// decoding failed already are passed over. The rules of each part of the file are types of their
// own around it.
type validator struct {
	*fault.Report
	*Config
}

// fault records a fault of the value at path, unless that value or a part of it is at fault
// already.
func (v *validator) fault(path, problem, hint string) {
	if !v.Covers(path) {
		v.Add(path, problem, hint)
	}
}

// check records a fault unless ok.
func (v *validator) check(ok bool, path, problem, hint string) {
	if !ok {
		v.fault(path, problem, hint)
	}
}

// refused records why a value was refused, unless it was not or is at fault already.
func (v *validator) refused(path string, err error) {
	if err != nil && !v.Covers(path) {
		v.AddErr(path, err)
	}
}

// warn records what is no fault of the value at path, unless there is one already.
func (v *validator) warn(path, problem, hint string) {
	if !v.Covers(path) {
		v.AddWarning(path, problem, hint)
	}
}

// between checks that a duration is within bounds.
func (v *validator) between(path string, d value.Duration, least, most time.Duration) {
	v.check(d.Duration() >= least && d.Duration() <= most, path, d.String()+" is out of bounds",
		"use "+value.Duration(least).String()+" to "+value.Duration(most).String())
}

// notNegative checks that a number is none below zero.
func (v *validator) notNegative(path string, n float64) {
	v.check(n >= 0, path, strconv.FormatFloat(n, 'g', -1, 64)+" is negative", "")
}
