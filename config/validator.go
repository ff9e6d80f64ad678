package config

import (
	"strconv"
	"time"

	"syncd/config/fault"
	"syncd/config/value"
)

// validator checks bounds, references and overlaps. It ignores values that could not be decoded.
// Each part of the file has a type with its rules, which embeds validator.
type validator struct {
	*fault.Report
	*Config
}

// fault records a fault of the value at path, unless that value or a part of it already has one.
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

// refused records err as the fault of a value, unless err is nil or the value already has a fault.
func (v *validator) refused(path string, err error) {
	if err != nil && !v.Covers(path) {
		v.AddErr(path, err)
	}
}

// warn records a warning about the value at path, unless the value already has a fault.
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

// notNegative checks that a number is not negative.
func (v *validator) notNegative(path string, n float64) {
	v.check(n >= 0, path, strconv.FormatFloat(n, 'g', -1, 64)+" is negative", "")
}
