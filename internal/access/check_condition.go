package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// checkConditions finds conditions that do not do what they say.
func checkConditions(names *catalogue, d *document, report report) {
	c := &conditionChecker{catalogue: names, d: d, report: report}
	for _, s := range d.policy.statements {
		c.checkClauses(s)
		c.checkCarried(s)
		c.checkOptionalTags(s)
	}
}

// conditionChecker judges the conditions of one document.
type conditionChecker struct {
	catalogue *catalogue
	d         *document
	report    report
}

// checkClauses judges the conditions of a statement.
func (c *conditionChecker) checkClauses(s *statement) {
	for _, cl := range s.clauses {
		c.checkValues(cl)
		c.checkKey(s, cl)
		c.checkPrivateAddresses(cl)
		if cl.ifExists && cl.negated {
			c.report(idleIfExists, cl.name, "IfExists changes nothing on a negated operator", "remove IfExists, or add a Null condition to spare requests without the key")
		}
		if cl.is("sts:ExternalId") && cl.demands() {
			c.checkExternalID(s, cl)
		}
		// Without transitive tags a session hands none on: that condition asks for no more.
		if s.effect == "Allow" && cl.set == "ForAllValues" && !s.guarded(cl.key.text) && !cl.is("sts:TransitiveTagKeys") {
			c.report(forAllUnguarded, cl.name, "ForAllValues also holds for requests without "+cl.key.text,
				`add {"Null": {"`+cl.key.text+`": "false"}}`)
		}
	}
}

func (c *conditionChecker) checkValues(cl clause) {
	if cl.set == "" && cl.like && !cl.negated && len(cl.values) == 1 && cl.values[0].text == "*" {
		c.report(matchesAll, cl.values[0], "every value of "+cl.key.text+" matches *", "name the values that are meant")
	}
	for _, v := range cl.values {
		switch {
		case !cl.reads(v.text):
			c.report(badValue, v, fmt.Sprintf("%s cannot compare with %q", cl.name.text, v.text), wants(cl))
		case cl.family == "String" && !cl.like && strings.ContainsAny(v.text, "*?") && !strings.Contains(v.text, "${"):
			c.report(literalWildcard, v, fmt.Sprintf("%s takes the wildcard in %q for plain text", cl.name.text, v.text),
				"write "+strings.Replace(strings.Replace(cl.name.text, "EqualsIgnoreCase", "Like", 1), "Equals", "Like", 1))
		default:
			if message, fix := unlikely(cl, v.text); message != "" {
				c.report(unlikelyValue, v, message, fix)
			}
		}
	}
}

// wants says what an operator can compare with.
func wants(cl clause) string {
	switch cl.family {
	case "Bool", "Null":
		return `write "true" or "false"`
	case "Numeric":
		return "write a number"
	case "Date":
		return "write a date, like 2026-01-31T00:00:00Z"
	}
	return "write an address or a block of them, like 192.0.2.0/24"
}

// unlikely knows what the values of some keys look like.
func unlikely(cl clause, value string) (message, fix string) {
	if wild(value) || cl.family != "String" && cl.family != "ARN" {
		return "", ""
	}
	shape := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(value) }
	switch key := strings.ToLower(cl.key.text); key {
	case "aws:principalorgid", "aws:resourceorgid", "aws:sourceorgid":
		if !shape(`^o-[a-z0-9]{4,32}$`) {
			return value + " is not the id of an organization", "write o-..., as organizations describe-organization shows it"
		}
	case "aws:principalaccount", "aws:sourceaccount", "aws:resourceaccount", "s3:resourceaccount", "kms:calleraccount":
		if !isAccount(value) {
			return value + " is not an account", "write its 12 digits"
		}
	case "aws:sourcevpce":
		if !shape(`^vpce-[0-9a-f]+$`) {
			return value + " is not the id of a VPC endpoint", "write vpce-..."
		}
	case "kms:viaservice":
		if !shape(`^[a-z0-9-]+\.[a-z0-9-]+-[a-z]+-[0-9]+\.[a-z0-9.-]+$`) {
			return value + " names no region: KMS is never told so", "write s3.REGION.amazonaws.com"
		}
	case "aws:principalarn":
		if strings.HasPrefix(value, "arn:") && strings.Contains(value, ":assumed-role/") {
			return "aws:PrincipalArn of a session is the ARN of its role, never that of the session", "write arn:aws:iam::111111111111:role/NAME"
		}
	}
	return "", ""
}

// checkKey judges the key of a clause against the catalogue.
func (c *conditionChecker) checkKey(s *statement, cl clause) {
	name := cl.key.text
	prefix, _, ok := strings.Cut(strings.ToLower(name), ":")
	switch {
	case !ok:
		fix := "write a key with its service, like aws:PrincipalArn"
		if meant := c.catalogue.meantKey("aws:" + name); meant != "" {
			fix = "write " + meant
		}
		c.report(wrongType, cl.key, fmt.Sprintf("%q is not a condition key", name), fix)
		return
	case prefix != "aws" && !c.catalogue.Service(prefix):
		return
	}
	key, known := c.catalogue.Key(name)
	if !known {
		fix := "see the condition keys of the service in the Service Authorization Reference"
		if meant := c.catalogue.meantKey(name); meant != "" {
			fix = "write " + meant
		}
		c.report(unknownKey, cl.key, "there is no condition key "+name, fix)
		return
	}
	if !cl.suits(key.Type) {
		c.report(wrongOperator, cl.name, fmt.Sprintf("%s compares %s values, and those of %s are %s", cl.name.text, cl.family, name, key.Type),
			"use "+operatorFor(key.Type, cl.negated))
	}
	if key.Many && cl.set == "" && cl.family != "Null" {
		c.report(manyValues, cl.name, name+" may have several values", "write ForAnyValue:"+cl.name.text+", or ForAllValues:"+cl.name.text+" with a Null condition")
	}
	c.checkPresence(s, cl)
}

func operatorFor(value string, negated bool) string {
	switch value {
	case "Bool":
		return "Bool"
	case "Numeric":
		return "NumericEquals, NumericLessThanEquals or their like"
	case "Date":
		return "DateLessThan, DateGreaterThan or their like"
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

// checkPresence finds keys that no request of the statement carries.
func (c *conditionChecker) checkPresence(s *statement, cl clause) {
	if len(s.actions) == 0 || cl.ifExists || cl.family == "Null" {
		return
	}
	key := strings.ToLower(cl.key.text)
	prefix, _, _ := strings.Cut(key, ":")
	carries := func(a *node) bool {
		service, name, _ := strings.Cut(strings.ToLower(a.text), ":")
		switch {
		case a.text == "*" || prefix == "aws":
			return true
		case service != prefix:
			return false
		}
		switch key {
		case "s3:prefix", "s3:delimiter", "s3:max-keys":
			return strings.HasPrefix(name, "list") || wild(name)
		case "sts:externalid":
			return name == "assumerole" || wild(name)
		}
		return true
	}
	if !slices.ContainsFunc(s.actions, carries) {
		c.report(absentKey, cl.key, "no request for "+s.actions[0].text+" carries "+cl.key.text, "remove the condition, or give the actions that carry it a statement of their own")
		return
	}
	listing := key == "s3:prefix" || key == "s3:delimiter" || key == "s3:max-keys"
	for _, a := range s.actions {
		if listing && s.effect == "Allow" && cl.demands() && !carries(a) {
			c.report(absentKey, a, "no request for "+a.text+" carries "+cl.key.text+": the statement never allows it", "give it a statement without that condition")
		}
	}
}

// checkExternalID finds the actions that a condition on sts:ExternalId shuts out.
func (c *conditionChecker) checkExternalID(s *statement, cl clause) {
	for _, a := range s.actions {
		for _, other := range []string{"sts:TagSession", "sts:SetSourceIdentity"} {
			if s.effect == "Allow" && covers(strings.ToLower(a.text), strings.ToLower(other)) {
				c.report(externalIDWithTags, a, "the condition on sts:ExternalId never holds for "+other, "move "+other+" into a statement without "+cl.key.text)
			}
		}
	}
}
