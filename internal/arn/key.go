package arn

import (
	"cmp"
	"strings"

	"syncd/internal/ascii"
)

// Key returns the ARN of a KMS key.
func Key(partition, region, account, id string) string {
	return ARN{partition, "kms", region, account, "key/" + id}.String()
}

// ParseKey parses the ARN of a KMS key. It rejects aliases and bare key ids, because KMS resolves
// them in the caller's account.
func ParseKey(text string) (ARN, error) {
	const instead = "use arn:aws:kms:REGION:ACCOUNT:key/ID"
	a, err := Parse(text)
	id, isKey := strings.CutPrefix(a.Resource, "key/")
	isKMS := err == nil && a.Service == "kms" && a.hasAccount() && a.Region != ""
	switch {
	case strings.HasPrefix(cmp.Or(a.Resource, text), "alias/"):
		return ARN{}, refuse(text, "is an alias, which KMS looks up in the caller's account", instead)
	case err != nil && ascii.Word(text, "-"):
		return ARN{}, refuse(text, "is a bare key id, which KMS looks up in the caller's account", instead)
	case !isKMS || !isKey || !ascii.Word(id, "-"):
		return ARN{}, refuse(text, "is not a key ARN", instead)
	}
	return a, nil
}
