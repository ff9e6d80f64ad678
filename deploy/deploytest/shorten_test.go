package deploytest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// The rules use minutes, hours and days. The live test divides these durations by 60, within the
// limits below, and changes nothing else in the rules.
const (
	shortestHold   = 2 * time.Second  // two evaluations: a "for" of one evaluation has no effect
	shortestWindow = 10 * time.Second // ten scrapes: a rate needs at least two, even on a busy machine
	longest        = 45 * time.Second // the maximum, for hours and days
)

func shorten(d, shortest time.Duration) time.Duration {
	return min(max(d/60, shortest), longest)
}

// shortenRules returns the groups with shortened durations and Prometheus's default evaluation
// interval.
func shortenRules(t *testing.T, groups []rulefmt.RuleGroup) []rulefmt.RuleGroup {
	t.Helper()
	var short []rulefmt.RuleGroup
	for _, g := range groups {
		rules := make([]rulefmt.Rule, len(g.Rules))
		for i, r := range g.Rules {
			r.Expr = shortenQuery(t, r.Expr)
			if r.For > 0 {
				r.For = model.Duration(shorten(time.Duration(r.For), shortestHold))
			}
			rules[i] = r
		}
		g.Interval, g.Rules = 0, rules
		short = append(short, g)
	}
	return short
}

// shortenQuery shortens the ranges of a query, and the numbers of seconds that the query compares
// with a time or adds to a time.
func shortenQuery(t *testing.T, query string) string {
	t.Helper()
	expr := parseQuery(t, query)
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.MatrixSelector:
			n.Range = shorten(n.Range, shortestWindow)
		case *parser.VectorSelector:
			if n.OriginalOffset > 0 {
				n.OriginalOffset = shorten(n.OriginalOffset, shortestWindow)
			}
		case *parser.BinaryExpr:
			if seconds, ok := constant(n.RHS); ok && seconds > 0 && measuresTime(n) {
				short := shorten(time.Duration(seconds*float64(time.Second)), shortestWindow)
				n.RHS = &parser.NumberLiteral{Val: short.Seconds()}
			}
		}
		return nil
	})
	return expr.String()
}

func parseQuery(t *testing.T, query string) parser.Expr {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Fatalf("parse %s: %v", query, err)
	}
	return expr
}

// constant returns the value of a number or of a product of numbers.
func constant(expr parser.Expr) (value float64, ok bool) {
	switch e := expr.(type) {
	case *parser.NumberLiteral:
		return e.Val, true
	case *parser.BinaryExpr:
		left, okLeft := constant(e.LHS)
		right, okRight := constant(e.RHS)
		return left * right, okLeft && okRight && e.Op == parser.MUL
	}
	return 0, false
}

// measuresTime reports whether e is a comparison or an addition whose left side is a time in
// seconds. The left side then uses time(), a metric whose name ends in _seconds, or an aggregation
// of such a metric.
func measuresTime(e *parser.BinaryExpr) (measures bool) {
	if !e.Op.IsComparisonOperator() && e.Op != parser.ADD {
		return false
	}
	parser.Inspect(e.LHS, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.Call:
			measures = measures || n.Func.Name == "time"
		case *parser.VectorSelector:
			name, _, _ := strings.Cut(strings.TrimPrefix(n.Name, "mapping:"), ":")
			measures = measures || strings.HasSuffix(name, "_seconds")
		}
		return nil
	})
	return measures
}

// writeRules writes groups to a file for Prometheus and returns its name.
func writeRules(t *testing.T, dir string, groups []rulefmt.RuleGroup) string {
	t.Helper()
	data, err := yaml.Marshal(rulefmt.RuleGroups{Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestShortenQuery(t *testing.T) {
	for query, want := range map[string]string{
		`up{job="syncd"} == 0`:                                                  `up{job="syncd"} == 0`,
		`rate(syncd_requests_total[30m]) > 0`:                                   `rate(syncd_requests_total[30s]) > 0`,
		`rate(syncd_requests_total[5m]) > 3`:                                    `rate(syncd_requests_total[10s]) > 3`,
		`increase(syncd_cost_dollars_total[1d])`:                                `increase(syncd_cost_dollars_total[45s])`,
		`syncd_backlog_objects offset 1h * 2 > 1000`:                            `syncd_backlog_objects offset 45s * 2 > 1000`,
		`syncd_backlog_objects or 0 * syncd_objects`:                            `syncd_backlog_objects or 0 * syncd_objects`,
		`mapping:syncd_lease_held:sum > 1`:                                      `mapping:syncd_lease_held:sum > 1`,
		`syncd_next_pass_timestamp_seconds > time() + 60`:                       `syncd_next_pass_timestamp_seconds > time() + 10`,
		`mapping:syncd_last_success_age_seconds:min > 26 * 3600`:                `mapping:syncd_last_success_age_seconds:min > 45`,
		`mapping:syncd_oldest_unsynced_seconds:max > 1200`:                      `mapping:syncd_oldest_unsynced_seconds:max > 20`,
		`(syncd_credential_expiry_timestamp_seconds - time()) < 180`:            `(syncd_credential_expiry_timestamp_seconds - time()) < 10`,
		`syncd_oldest_unsynced_seconds and on (mapping) syncd_lease_held == 1`:  `syncd_oldest_unsynced_seconds and on (mapping) syncd_lease_held == 1`,
		`time() - max by (mapping) (syncd_last_success_timestamp_seconds) >= 0`: `time() - max by (mapping) (syncd_last_success_timestamp_seconds) >= 0`,
	} {
		if got := shortenQuery(t, query); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// TestShortenKeepsOrder checks that shortening keeps the order of durations, because the rules
// depend on it.
func TestShortenKeepsOrder(t *testing.T) {
	before := time.Duration(0)
	for _, d := range []time.Duration{time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 48 * time.Hour} {
		got := shorten(d, shortestHold)
		if got < before || got < shortestHold || got > longest {
			t.Errorf("%v: got %v, want at least the %v of a shorter one, within %v and %v", d, got, before, shortestHold, longest)
		}
		before = got
	}
}

// TestShortenRulesChangesOnlyTimes checks that the original and the shortened rules are the same
// except for their durations.
func TestShortenRulesChangesOnlyTimes(t *testing.T) {
	long := loadRules(t)
	short := shortenRules(t, long)
	for i, g := range long {
		for j, r := range g.Rules {
			s := short[i].Rules[j]
			if got, want := timeless(t, s.Expr), timeless(t, r.Expr); got != want {
				t.Errorf("%s%s: got %s, want %s", r.Record, r.Alert, got, want)
			}
			if (s.For == 0) != (r.For == 0) || time.Duration(s.For) > longest {
				t.Errorf("%s: got a hold of %v for %v, want a shorter one", r.Alert, s.For, r.For)
			}
			s.Expr, s.For = r.Expr, r.For
			if fmt.Sprint(s) != fmt.Sprint(r) {
				t.Errorf("got %v, want %v: names, labels and annotations must not change", s, r)
			}
		}
	}
}

// timeless returns a query in which every duration is one second.
func timeless(t *testing.T, query string) string {
	t.Helper()
	expr := parseQuery(t, query)
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.MatrixSelector:
			n.Range = time.Second
		case *parser.VectorSelector:
			n.OriginalOffset = min(n.OriginalOffset, time.Second)
		case *parser.BinaryExpr:
			if _, ok := constant(n.RHS); ok && measuresTime(n) {
				n.RHS = &parser.NumberLiteral{Val: 1}
			}
		}
		return nil
	})
	return expr.String()
}
