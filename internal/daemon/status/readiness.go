package status

// Readiness is the answer of /readyz. Its JSON form is a contract: docs/status-page.md describes
// it.
type Readiness struct {
	// Ready says that the process can work, and WhyNot why it cannot. Neither depends on how single
	// mappings are.
	Ready  bool   `json:"ready"`
	WhyNot string `json:"why_not,omitempty"`
	// Mappings says of each mapping whether it is ready.
	Mappings []MappingReadiness `json:"mappings"`
}

// MappingReadiness is whether one mapping gets on or stands by, and why it does not.
type MappingReadiness struct {
	Mapping string `json:"mapping"`
	Ready   bool   `json:"ready"`
	WhyNot  string `json:"why_not,omitempty"`
	// State is that of the status, as it was up to half a minute ago.
	State State `json:"state"`
}
