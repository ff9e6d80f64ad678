package danger

import (
	"syncd/config"
	"syncd/internal/access/lint/document"
)

// checker checks who one document allows.
type checker struct {
	config *config.Config
	d      *document.Document
	report document.Report
}
