package iam

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operator is a parsed condition operator: "ForAnyValue:StringNotLikeIfExists" is anyValue, like,
// negated, ifExists.
type operator struct {
	set      set
	compare  comparison
	accept   order // for numeric and date: the accepted results of comparing the request's value with the policy's value
	negated  bool
	ifExists bool
}

// set says which of the request's values must match: the only value, all values, or any value.
type set int

const (
	single set = iota
	allValues
	anyValue
)

// comparison is the way in which an operator compares a value of the policy with a value of the
// request.
type comparison int

const (
	exactly comparison = iota + 1
	ignoringCase
	like
	arnLike
	boolean
	numeric
	date
	inNetwork
	binary
	null
)

// order is a set of outcomes of a comparison.
type order int

const (
	less order = 1 << iota
	equal
	greater
)

// parseOperator parses an operator's name, and reports whether it is valid. Null allows neither a
// set operator nor IfExists.
func parseOperator(name string) (operator, bool) {
	var o operator
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, o.set = rest, allValues
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, o.set = rest, anyValue
	}
	name, o.ifExists = strings.CutSuffix(name, "IfExists")
	o.compare, o.accept, o.negated = parseTest(name)
	if o.compare == null && (o.set != single || o.ifExists) {
		return operator{}, false
	}
	return o, o.compare != 0
}

// parseTest implements the table in "IAM JSON policy elements: Condition operators".
func parseTest(name string) (c comparison, accept order, negated bool) {
	switch name {
	case "StringEquals", "StringNotEquals":
		return exactly, 0, name == "StringNotEquals"
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		return ignoringCase, 0, name == "StringNotEqualsIgnoreCase"
	case "StringLike", "StringNotLike":
		return like, 0, name == "StringNotLike"
	case "ArnEquals", "ArnLike":
		return arnLike, 0, false
	case "ArnNotEquals", "ArnNotLike":
		return arnLike, 0, true
	case "IpAddress", "NotIpAddress":
		return inNetwork, 0, name == "NotIpAddress"
	case "Bool":
		return boolean, 0, false
	case "BinaryEquals":
		return binary, 0, false
	case "Null":
		return null, 0, false
	}
	if rest, ok := strings.CutPrefix(name, "Numeric"); ok {
		return parseOrder(numeric, rest)
	}
	if rest, ok := strings.CutPrefix(name, "Date"); ok {
		return parseOrder(date, rest)
	}
	return 0, 0, false
}

func parseOrder(of comparison, name string) (c comparison, accept order, negated bool) {
	switch name {
	case "Equals", "NotEquals":
		return of, equal, name == "NotEquals"
	case "LessThan":
		return of, less, false
	case "LessThanEquals":
		return of, less | equal, false
	case "GreaterThan":
		return of, greater, false
	case "GreaterThanEquals":
		return of, greater | equal, false
	}
	return 0, 0, false
}

// holds reports whether the request meets a condition of a statement with the given effect.
func (s scope) holds(c *Condition, effect Effect) bool {
	op, known := parseOperator(c.Operator)
	if !known {
		// Only a document built in code can have an unknown operator. A condition with an unknown
		// operator holds in a Deny statement, and does not hold in an Allow statement.
		return effect == Deny
	}
	got := s.req.lookup(c.Key)
	if op.compare == null {
		return slices.Contains(c.Values, strconv.FormatBool(isNull(got)))
	}
	if len(got) == 0 || op.set != single && isNull(got) {
		return op.holdsOnNothing()
	}
	if len(got) > 1 && op.set == single {
		// If the request has several values for the key, only a Null condition or a condition with
		// a set operator can hold: "To compare your condition against a request context with
		// multiple key values, you must use" a set operator.
		return false
	}
	all := op.set == allValues || op.set == single && op.negated
	for _, value := range got {
		if (s.anyMatches(op, c.Values, value) != op.negated) != all {
			return !all
		}
	}
	return all
}

// holdsOnNothing returns the result for a key that is not in the request. A negated operator holds,
// with or without IfExists. The result of a set operator does not depend on the operator that
// follows it: ForAllValues holds, and ForAnyValue does not ("For no matching context key or if the
// key does not exist").
func (o operator) holdsOnNothing() bool {
	switch o.set {
	case allValues:
		return true
	case anyValue:
		return false
	case single:
	}
	return o.ifExists || o.negated
}

// takesVariables reports whether the operator compares text or ARNs, where variables are allowed.
func (o operator) takesVariables() bool {
	switch o.compare {
	case exactly, ignoringCase, like, arnLike:
		return true
	case boolean, numeric, date, inNetwork, binary, null:
	}
	return false
}

// anyMatches reports whether one of the policy's values matches the request's value.
func (s scope) anyMatches(op operator, wants []string, got string) bool {
	for _, want := range wants {
		ok := true
		if op.takesVariables() {
			want, ok = s.expand(want, op.compare == like || op.compare == arnLike)
		}
		if ok && op.matches(want, got) {
			return true
		}
	}
	return false
}

// matches reports whether a value of the request matches a value of the policy. Values of the wrong
// type for the operator do not match.
func (o operator) matches(want, got string) bool {
	switch o.compare {
	case exactly, binary:
		return want == got
	case ignoringCase, boolean:
		return strings.EqualFold(want, got)
	case like:
		return matchText(want, got)
	case arnLike:
		return matchARN(want, got)
	case numeric:
		w, wok := parseNumber(want)
		g, gok := parseNumber(got)
		return wok && gok && o.accepts(cmp.Compare(g, w))
	case date:
		w, wok := parseDate(want)
		g, gok := parseDate(got)
		return wok && gok && o.accepts(g.Compare(w))
	case inNetwork:
		network, ok := parseNetwork(want)
		ip, err := netip.ParseAddr(got)
		return ok && err == nil && network.Contains(ip.Unmap())
	case null:
	}
	return false
}

func (o operator) accepts(outcome int) bool {
	switch {
	case outcome < 0:
		return o.accept&less != 0
	case outcome > 0:
		return o.accept&greater != 0
	}
	return o.accept&equal != 0
}

// accommodates reports whether a policy value is valid for the operator.
func (o operator) accommodates(want string) bool {
	ok := true
	switch o.compare {
	case numeric:
		_, ok = parseNumber(want)
	case date:
		_, ok = parseDate(want)
	case inNetwork:
		_, ok = parseNetwork(want)
	case boolean:
		ok = strings.EqualFold(want, "true") || strings.EqualFold(want, "false")
	case null:
		ok = want == "true" || want == "false"
	case exactly, ignoringCase, like, arnLike, binary:
	}
	return ok
}

// parseNumber parses an integer or a decimal. ParseFloat alone would also accept "inf", "nan" and
// hexadecimal.
func parseNumber(text string) (float64, bool) {
	if strings.Trim(text, "+-.0123456789eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// parseDate parses a W3C form of ISO 8601, or seconds since 1970. It reads four digits as seconds,
// not as a year, because a date without a month is not supported.
func parseDate(text string) (time.Time, bool) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseNetwork parses a CIDR block or a single address, IPv4 or IPv6.
func parseNetwork(text string) (netip.Prefix, bool) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		return p, err == nil
	}
	ip, err := netip.ParseAddr(text)
	if err != nil || ip.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(ip, ip.BitLen()), true
}
