package danger

import (
	"syncd/config"
	"syncd/internal/access/lint/document"
)

// checker checks the principals that one document allows or denies.
type checker struct {
	config *config.Config
	d      *document.Document
	report document.Report
}
