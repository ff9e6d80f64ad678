package document

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"syncd/internal/access/lint/catalogue"
)

// Operator is a parsed condition operator.
type Operator struct {
	Set      string // "ForAllValues", "ForAnyValue" or ""
	Family   string // the type of the values that it compares: "String", "ARN", "Bool", "Numeric", "Date", "IPAddress", "Binary", "Null"
	Like     bool   // whether it supports wildcards
	Negated  bool
	IfExists bool
}

// parseOperator parses the name of an operator, and reports whether it exists ("IAM JSON policy
// elements: Condition operators").
func parseOperator(name string) (Operator, bool) {
	var o Operator
	if set, rest, ok := strings.Cut(name, ":"); ok && (set == "ForAllValues" || set == "ForAnyValue") {
		o.Set, name = set, rest
	}
	name, o.IfExists = strings.CutSuffix(name, "IfExists")
	o.Negated = strings.Contains(name, "Not")
	switch name {
	case "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		o.Family = "String"
	case "StringLike", "StringNotLike":
		o.Family, o.Like = "String", true
	case "ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike":
		o.Family, o.Like = "ARN", true
	case "Bool":
		o.Family = "Bool"
	case "BinaryEquals":
		o.Family = "Binary"
	case "IpAddress", "NotIpAddress":
		o.Family = "IPAddress"
	case "Null":
		o.Family = "Null"
		return o, !o.IfExists && o.Set == ""
	default:
		o.Family = orderFamily(name)
	}
	return o, o.Family != ""
}

// orderFamily returns "Numeric" if name is a numeric operator, "Date" if it is a date operator, and
// "" otherwise.
func orderFamily(name string) string {
	for _, family := range []string{"Numeric", "Date"} {
		rest, ok := strings.CutPrefix(name, family)
		if !ok {
			continue
		}
		switch rest {
		case "Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals":
			return family
		}
	}
	return ""
}

// meantOperator returns the fix for an unknown operator, which names the most similar operator if
// there is one.
func meantOperator(name string) string {
	names := []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike", "Bool", "BoolIfExists", "IpAddress", "NotIpAddress", "Null",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
		"NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan", "DateGreaterThan", "StringEqualsIfExists",
		"StringNotEqualsIfExists", "StringLikeIfExists", "ForAllValues:StringEquals", "ForAnyValue:StringEquals",
		"ForAllValues:StringLike", "ForAnyValue:StringLike",
	}
	if rest, ok := strings.CutSuffix(name, "IfExists"); ok && strings.HasSuffix(rest, "Null") {
		return "write Null, which checks whether the key exists"
	}
	if meant := catalogue.Nearest(name, names); meant != "" {
		return "write " + meant
	}
	return "use StringEquals, StringLike, ArnLike, Bool, IpAddress, Null or another operator from the IAM User Guide"
}

// Reads reports whether the operator accepts a value.
func (o Operator) Reads(value string) bool {
	switch o.Family {
	case "Bool":
		return strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
	case "Null":
		return value == "true" || value == "false"
	case "Numeric":
		_, err := strconv.ParseFloat(value, 64)
		return err == nil
	case "Date":
		return isDate(value)
	case "IPAddress":
		_, errOne := netip.ParseAddr(value)
		_, errBlock := netip.ParsePrefix(value)
		return errOne == nil || errBlock == nil
	}
	return true
}

func isDate(value string) bool {
	if _, err := strconv.ParseInt(value, 10, 64); err == nil {
		return true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01"} {
		if _, err := time.Parse(layout, value); err == nil {
			return true
		}
	}
	return false
}

// Suits reports whether the operator can compare values of the type value. String operators also
// accept ARNs, and Numeric operators accept dates as seconds since 1970.
func (o Operator) Suits(value string) bool {
	switch o.Family {
	case value, "Null", "Binary":
		return true
	case "String":
		return value == "ARN"
	case "Numeric":
		return value == "Date"
	}
	return false
}
