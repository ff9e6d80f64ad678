package document

import (
	"path/filepath"
	"regexp"
	"strings"

	"syncd/internal/arn"
)

// named parses the file name, which `syncd policy --output` may have chosen. It returns the account
// that the document belongs to, or "" for any other file name. addition reports whether the
// document contains only statements to add to a key policy. The text of a policy contains neither
// the account nor this fact.
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
