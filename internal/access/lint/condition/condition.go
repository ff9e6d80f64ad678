// Package condition implements the rules about conditions. They find keys that no request contains,
// operators and values of the wrong type, and conditions that match requests they should not match.
//
// The rules consider only the condition, its statement and the target of the policy. Other packages
// parse operators (lint/document) and check whether a statement is too permissive (lint/danger).
//
// Terms: a clause is one condition key of a statement, with its operator and values. A clause
// demands its key if only requests that contain the key can match. A key is guarded if the
// statement requires it to be present.
package condition

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/catalogue"
	"syncd/internal/access/lint/document"
	"syncd/internal/arn"
	"syncd/internal/awsname"
)

// Check reports conditions that do not have the intended effect.
func Check(names *catalogue.Catalogue, d *document.Document, report document.Report) {
	c := &checker{catalogue: names, d: d, report: report}
	for _, s := range d.Policy.Statements {
		c.checkClauses(s)
		c.checkCarried(s)
		c.checkOptionalTags(s)
	}
}

// checker checks the conditions of one document.
type checker struct {
	catalogue *catalogue.Catalogue
	d         *document.Document
	report    document.Report
}

// checkClauses checks the conditions of a statement.
func (c *checker) checkClauses(s *document.Statement) {
	for _, cl := range s.Clauses {
		c.checkValues(cl)
		c.checkKey(s, cl)
		c.checkPrivateAddresses(cl)
		if cl.IfExists && cl.Negated {
			c.report(idleIfExists, cl.Name, "IfExists has no effect on a negated operator", "remove IfExists, or add a Null condition to exclude requests without the key")
		}
		if cl.Is("sts:ExternalId") && cl.Demands() {
			c.checkExternalID(s, cl)
		}
		// A request without sts:TransitiveTagKeys makes no tag transitive, so ForAllValues on this
		// key is safe without a Null condition.
		if s.Effect == "Allow" && cl.Set == "ForAllValues" && !s.Guarded(cl.Key.Text) && !cl.Is("sts:TransitiveTagKeys") {
			c.report(forAllUnguarded, cl.Name, "ForAllValues also matches requests without "+cl.Key.Text,
				`add {"Null": {"`+cl.Key.Text+`": "false"}}`)
		}
	}
}

func (c *checker) checkValues(cl document.Clause) {
	if cl.Set == "" && cl.Like && !cl.Negated && len(cl.Values) == 1 && cl.Values[0].Text == "*" {
		c.report(matchesAll, cl.Values[0], "every value of "+cl.Key.Text+" matches *", "name the intended values")
	}
	for _, v := range cl.Values {
		switch {
		case !cl.Reads(v.Text):
			c.report(badValue, v, fmt.Sprintf("%s does not support the value %q", cl.Name.Text, v.Text), wants(cl))
		case cl.Family == "String" && !cl.Like && strings.ContainsAny(v.Text, "*?") && !strings.Contains(v.Text, "${"):
			c.report(literalWildcard, v, fmt.Sprintf("%s treats the wildcard in %q as plain text", cl.Name.Text, v.Text),
				"write "+strings.Replace(strings.Replace(cl.Name.Text, "EqualsIgnoreCase", "Like", 1), "Equals", "Like", 1))
		default:
			if message, fix := unlikely(cl, v.Text); message != "" {
				c.report(unlikelyValue, v, message, fix)
			}
		}
	}
}

// wants returns the fix for a value that the operator does not support.
func wants(cl document.Clause) string {
	switch cl.Family {
	case "Bool", "Null":
		return `write "true" or "false"`
	case "Numeric":
		return "write a number"
	case "Date":
		return "write a date, such as 2026-01-31T00:00:00Z"
	}
	return "write an address or a CIDR block, such as 192.0.2.0/24"
}

// unlikely returns the message and the fix for a value that the key never has, or empty strings for
// any other value.
func unlikely(cl document.Clause, value string) (message, fix string) {
	if access.IsPattern(value) || cl.Family != "String" && cl.Family != "ARN" {
		return "", ""
	}
	shape := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(value) }
	switch key := strings.ToLower(cl.Key.Text); key {
	case "aws:principalorgid", "aws:resourceorgid", "aws:sourceorgid":
		if !shape(`^o-[a-z0-9]{4,32}$`) {
			return value + " is not an organization ID", "write o-..., as shown by `aws organizations describe-organization`"
		}
	case "aws:principalaccount", "aws:sourceaccount", "aws:resourceaccount", "s3:resourceaccount", "kms:calleraccount":
		if !awsname.IsAccount(value) {
			return value + " is not an account ID", "write 12 digits"
		}
	case "aws:sourcevpce":
		if !shape(`^vpce-[0-9a-f]+$`) {
			return value + " is not a VPC endpoint ID", "write vpce-..."
		}
	case "kms:viaservice":
		if !shape(`^[a-z0-9-]+\.[a-z0-9-]+-[a-z]+-[0-9]+\.[a-z0-9.-]+$`) {
			return value + " contains no region, so it never matches", "write s3.REGION.amazonaws.com"
		}
	case "aws:principalarn":
		if arn.Kind(value) == "assumed-role" {
			return "aws:PrincipalArn of a role session is the ARN of its role", "write arn:aws:iam::111111111111:role/NAME"
		}
	}
	return "", ""
}

// checkKey checks the key of a clause against the catalogue.
func (c *checker) checkKey(s *document.Statement, cl document.Clause) {
	name := cl.Key.Text
	prefix, _, ok := strings.Cut(strings.ToLower(name), ":")
	switch {
	case !ok:
		fix := "write a key with its service, such as aws:PrincipalArn"
		if meant := c.catalogue.MeantKey("aws:" + name); meant != "" {
			fix = "write " + meant
		}
		c.report(document.WrongType, cl.Key, fmt.Sprintf("%q is not a condition key", name), fix)
		return
	case prefix != "aws" && !c.catalogue.Service(prefix):
		return
	}
	key, known := c.catalogue.Key(name)
	if !known {
		fix := "see the condition keys of the service in the Service Authorization Reference"
		if meant := c.catalogue.MeantKey(name); meant != "" {
			fix = "write " + meant
		}
		c.report(unknownKey, cl.Key, "there is no condition key "+name, fix)
		return
	}
	if !cl.Suits(key.Type) {
		c.report(wrongOperator, cl.Name, fmt.Sprintf("%s compares %s values, but the values of %s are %s", cl.Name.Text, cl.Family, name, key.Type),
			"use "+operatorFor(key.Type, cl.Negated))
	}
	if key.Many && cl.Set == "" && cl.Family != "Null" {
		c.report(manyValues, cl.Name, name+" may have several values", "write ForAnyValue:"+cl.Name.Text+", or ForAllValues:"+cl.Name.Text+" with a Null condition")
	}
	c.checkPresence(s, cl)
}

func operatorFor(value string, negated bool) string {
	switch value {
	case "Bool":
		return "Bool"
	case "Numeric":
		return "NumericEquals, NumericLessThanEquals or similar"
	case "Date":
		return "DateLessThan, DateGreaterThan or similar"
	case "IPAddress":
		if negated {
			return "NotIpAddress"
		}
		return "IpAddress"
	case "ARN":
		return "ArnLike, or ArnNotLike"
	}
	if negated {
		return "StringNotEquals or StringNotLike"
	}
	return "StringEquals or StringLike"
}

// checkPresence reports a condition key that requests for the statement's actions never contain.
func (c *checker) checkPresence(s *document.Statement, cl document.Clause) {
	if len(s.Actions) == 0 || cl.IfExists || cl.Family == "Null" {
		return
	}
	key := strings.ToLower(cl.Key.Text)
	prefix, _, _ := strings.Cut(key, ":")
	carries := func(a *document.Node) bool {
		service, name, _ := strings.Cut(strings.ToLower(a.Text), ":")
		switch {
		case a.Text == "*" || prefix == "aws":
			return true
		case service != prefix:
			return false
		}
		switch key {
		case "s3:prefix", "s3:delimiter", "s3:max-keys":
			return strings.HasPrefix(name, "list") || access.IsPattern(name)
		case "sts:externalid":
			return name == "assumerole" || access.IsPattern(name)
		}
		return true
	}
	if !slices.ContainsFunc(s.Actions, carries) {
		c.report(absentKey, cl.Key, "no request for "+s.Actions[0].Text+" contains "+cl.Key.Text, "remove the condition, or move the actions whose requests contain the key to a separate statement")
		return
	}
	listing := key == "s3:prefix" || key == "s3:delimiter" || key == "s3:max-keys"
	for _, a := range s.Actions {
		if listing && s.Effect == "Allow" && cl.Demands() && !carries(a) {
			c.report(absentKey, a, "no request for "+a.Text+" contains "+cl.Key.Text+": the statement never allows it", "move the action to a separate statement without that condition")
		}
	}
}

// checkExternalID reports actions that a condition on sts:ExternalId excludes.
func (c *checker) checkExternalID(s *document.Statement, cl document.Clause) {
	for _, a := range s.Actions {
		for _, other := range []string{"sts:TagSession", "sts:SetSourceIdentity"} {
			if s.Effect == "Allow" && document.Covers(strings.ToLower(a.Text), strings.ToLower(other)) {
				c.report(externalIDWithTags, a, "the condition on sts:ExternalId never matches "+other, "move "+other+" into a statement without "+cl.Key.Text)
			}
		}
	}
}
