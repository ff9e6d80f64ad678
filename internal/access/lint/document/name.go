package document

import (
	"path/filepath"
	"regexp"
	"strings"

	"syncd/internal/arn"
)

// named is what the name of a file says when `syncd policy --output` gave it: whose account's the
// document is, and whether it holds only statements that are to be added to the policy of a key. A
// policy itself says neither.
func (d *Document) named() (account string, addition bool) {
	name := regexp.MustCompile(`^([0-9]{12})-(.+)\.json$`).FindStringSubmatch(filepath.Base(d.File.Name))
	if name == nil {
		return "", false
	}
	return name[1], strings.HasPrefix(name[2], "key-")
}

// Account is the one that the document belongs to, "" when that is not known.
func (d *Document) Account() string {
	if account := arn.Account(d.Target); account != "" {
		return account
	}
	account, _ := d.named()
	return account
}

// Addition reports whether the document holds only what is to be added to a key's policy.
func (d *Document) Addition() bool {
	_, addition := d.named()
	return d.Written || addition
}
