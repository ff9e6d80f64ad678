package status

// Readiness is the response of /readyz. Its JSON form is a stable interface, described in
// docs/status-page.md.
type Readiness struct {
	// Ready reports whether the process can work, and WhyNot why it cannot. Neither depends on the
	// state of single mappings.
	Ready  bool   `json:"ready"`
	WhyNot string `json:"why_not,omitempty"`
	// Mappings is the readiness of each mapping.
	Mappings []MappingReadiness `json:"mappings"`
}

// MappingReadiness reports whether one mapping is working or standing by, and if not, why.
type MappingReadiness struct {
	Mapping string `json:"mapping"`
	Ready   bool   `json:"ready"`
	WhyNot  string `json:"why_not,omitempty"`
	// State is the state of the mapping; it may be up to half a minute old.
	State State `json:"state"`
}
