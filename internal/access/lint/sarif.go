package lint

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"

	"syncd/internal/access/lint/rule"
)

// The types of SARIF 2.1.0 that a report uses (OASIS Standard, "Static Analysis Results Interchange
// Format").
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string      `json:"id"`
		Name          string      `json:"name"`
		Short         sarifText   `json:"shortDescription"`
		Full          sarifText   `json:"fullDescription"`
		Help          sarifText   `json:"help"`
		Configuration sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
	}
)

// SARIF returns the report in SARIF 2.1.0, for code scanning services and editors. It contains the
// rules with their explanations, and a result for every finding.
func (r Report) SARIF() ([]byte, error) {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "syncd policy check"}
	index := map[string]int{}
	for i, known := range Rules() {
		index[known.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: known.ID, Name: known.Name, Short: sarifText{known.Title}, Full: sarifText{known.Explanation},
			Help: sarifText{known.Explanation}, Configuration: sarifConfig{string(known.Severity)},
		})
	}
	for _, f := range r.Findings {
		run.Results = append(run.Results, resultOf(f, index[f.ID]))
	}
	log := sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
	text, err := json.MarshalIndent(log, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode SARIF: %w", err)
	}
	return append(text, '\n'), nil
}

func resultOf(f rule.Finding, at int) sarifResult {
	result := sarifResult{
		RuleID: f.ID, RuleIndex: at, Level: string(f.Severity), Message: sarifText{f.Message + ". Fix: " + f.Fix + "."},
	}
	if f.File == "" {
		return result
	}
	var l sarifLocation
	l.Physical.Artifact.URI = uri(f.File)
	if f.Line > 0 {
		l.Physical.Region = &sarifRegion{f.Line, max(f.Column, 1)}
	}
	if f.Path != "" {
		l.Logical = []sarifLogical{{f.Path}}
	}
	result.Locations = []sarifLocation{l}
	return result
}

// uri returns a path as a relative URI reference (RFC 3986), with spaces and other characters
// escaped.
func uri(path string) string {
	return (&url.URL{Path: filepath.ToSlash(path)}).String()
}
