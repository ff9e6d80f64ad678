package document

import (
	"path/filepath"
	"regexp"
	"strings"

	"syncd/internal/arn"
)

// named returns what a file name chosen by `syncd policy --output` says about the document, because
// the text of the policy does not say it: the account that the document belongs to, and whether the
// document contains only statements to add to a key policy. For any other file name, named returns
// "" and false.
func (d *Document) named() (account string, addition bool) {
	name := regexp.MustCompile(`^([0-9]{12})-(.+)\.json$`).FindStringSubmatch(filepath.Base(d.File.Name))
	if name == nil {
		return "", false
	}
	return name[1], strings.HasPrefix(name[2], "key-")
}

// Account returns the account that the document belongs to, or "" if unknown.
func (d *Document) Account() string {
	if account := arn.Account(d.Target); account != "" {
		return account
	}
	account, _ := d.named()
	return account
}

// Addition reports whether the document contains only statements to add to a key policy.
func (d *Document) Addition() bool {
	_, addition := d.named()
	return d.Written || addition
}
