package iam

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// lookup returns the values of a condition key, or nil if it is not in the request.
func (r *Request) lookup(key string) []string {
	if values, ok := r.Context[key]; ok {
		return values
	}
	for name, values := range r.Context {
		if len(name) == len(key) && strings.EqualFold(name, key) {
			return values
		}
	}
	if value := r.derived(key); value != "" {
		return []string{value}
	}
	return nil
}

// derived returns the value of a global condition key if it follows from other fields of the
// request, otherwise "".
func (r *Request) derived(key string) string {
	c := &r.Caller
	switch {
	case strings.EqualFold(key, "aws:PrincipalArn"):
		return c.principalARN()
	case strings.EqualFold(key, "aws:PrincipalAccount"):
		return cmp.Or(c.Account, c.anonymous())
	case strings.EqualFold(key, "aws:PrincipalType"):
		return c.principalType()
	case strings.EqualFold(key, "aws:PrincipalIsAWSService"):
		if c.anonymous() != "" {
			return ""
		}
		return strconv.FormatBool(c.Service != "")
	case strings.EqualFold(key, "aws:PrincipalServiceName"):
		return c.Service
	case strings.EqualFold(key, "aws:username"):
		return c.userName()
	case strings.EqualFold(key, "aws:userid"):
		return c.userID()
	case strings.EqualFold(key, "aws:ResourceAccount"):
		return r.Account
	}
	return ""
}

// multivalued reports whether a key has the value type "Multivalued" in "AWS global condition
// context keys", or an ArrayOf type in the Service Authorization Reference for S3, KMS and STS.
func multivalued(key string) bool {
	switch strings.ToLower(key) {
	case "aws:calledvia", "aws:principalorgpaths", "aws:principalservicenameslist", "aws:resourceorgpaths", "aws:sourceorgpaths",
		"aws:tagkeys", "aws:vpceorgpaths", "kms:encryptioncontextkeys", "kms:grantoperations", "kms:resourcealiases",
		"s3:inventoryaccessibleoptionalfields", "s3:requestobjecttagkeys", "sts:transitivetagkeys":
		return true
	}
	return false
}

// isNull reports whether a key has no value, or in AWS's words "resolves to a null data set, such
// as an empty string".
func isNull(values []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return v != "" })
}
