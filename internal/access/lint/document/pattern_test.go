package document_test

import (
	"testing"

	"syncd/internal/access/lint/document"
)

func TestCovers(t *testing.T) {
	tests := []struct {
		pattern, other string
		want           bool
	}{
		{"*", "s3:GetObject", true},
		{"s3:Get*", "s3:GetObject", true},
		{"s3:Get*", "s3:Get*", true},
		{"s3:Get*", "s3:G*", false},
		{"s3:*Object", "s3:Get*", false},
		{"a?c", "abc", true},
		{"a?c", "a*c", false},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "ac", false},
		{"", "", true},
		{"a", "", false},
	}
	for _, tt := range tests {
		if got := document.Covers(tt.pattern, tt.other); got != tt.want {
			t.Errorf("covers(%q, %q): got %v, want %v", tt.pattern, tt.other, got, tt.want)
		}
	}
}
