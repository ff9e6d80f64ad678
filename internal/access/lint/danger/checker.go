package danger

import (
	"syncd/config"
	"syncd/internal/access/lint/document"
)

// checker judges what one document lets in.
type checker struct {
	config *config.Config
	d      *document.Document
	report document.Report
}
