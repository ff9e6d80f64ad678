package element

import (
	"syncd/internal/access/lint/catalogue"
	"syncd/internal/access/lint/document"
)

// checker checks the elements of one document.
type checker struct {
	catalogue *catalogue.Catalogue
	d         *document.Document
	report    document.Report
}
