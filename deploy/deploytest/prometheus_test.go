package deploytest_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"go.yaml.in/yaml/v3"
)

const rulesFile = "../prometheus/rules.yaml"

// ruleTests is the part of promtool's format that the files in prometheus/ use. promtool can run
// them too.
type ruleTests struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	GroupEvalOrder     []string       `yaml:"group_eval_order"`
	Tests              []ruleTest     `yaml:"tests"`
}

type ruleTest struct {
	Name     string         `yaml:"name"`
	Interval model.Duration `yaml:"interval"`
	Input    []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	Alerts []alertTest `yaml:"alert_rule_test"`
}

type alertTest struct {
	EvalTime  model.Duration `yaml:"eval_time"`
	Alertname string         `yaml:"alertname"`
	Want      []firing       `yaml:"exp_alerts"`
}

type firing struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

func loadRules(t *testing.T) []rulefmt.RuleGroup {
	t.Helper()
	groups, errs := rulefmt.ParseFile(rulesFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}), promslog.NewNopLogger())
	for _, err := range errs {
		t.Fatal(err)
	}
	return groups.Groups
}

func loadRuleTests(t *testing.T) (files []ruleTests) {
	t.Helper()
	for _, name := range []string{"prometheus/rules_test.yaml", "prometheus/rules_days_test.yaml"} {
		dec := yaml.NewDecoder(strings.NewReader(read(t, name)))
		dec.KnownFields(true)
		var file ruleTests
		if err := dec.Decode(&file); err != nil {
			t.Fatalf("%s: decode: %v", name, err)
		}
		files = append(files, file)
	}
	return files
}

// TestRules checks every alert in the scenarios of prometheus/*_test.yaml.
func TestRules(t *testing.T) {
	for _, file := range loadRuleTests(t) {
		for _, test := range file.Tests {
			t.Run(test.Name, func(t *testing.T) {
				t.Parallel()
				test.run(t, file)
			})
		}
	}
}

func (r ruleTest) run(t *testing.T, file ruleTests) {
	t.Helper()
	load := "load " + r.Interval.String() + "\n"
	for _, s := range r.Input {
		load += "  " + s.Series + " " + s.Values + "\n"
	}
	suite, err := promqltest.NewLazyLoader(load, promqltest.LazyLoaderOpts{EnableAtModifier: true, EnableNegativeOffset: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = suite.Close() })
	manager := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(suite.QueryEngine(), suite.Storage()), Appendable: suite.Storage(), Context: t.Context(),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
		Logger:     promslog.NewNopLogger(), Parser: parser.NewParser(parser.Options{}),
	})
	loaded, errs := manager.LoadGroups(time.Duration(r.Interval), labels.EmptyLabels(), "", nil, false, rulesFile)
	for _, err := range errs {
		t.Fatal(err)
	}
	var groups []*rules.Group
	for _, name := range file.GroupEvalOrder {
		groups = append(groups, loaded[rules.GroupKey(rulesFile, name)])
	}
	var end time.Duration
	for _, a := range r.Alerts {
		end = max(end, time.Duration(a.EvalTime))
	}
	for at := time.Duration(0); at <= end; at += time.Duration(file.EvaluationInterval) {
		now := time.Unix(0, 0).UTC().Add(at)
		suite.WithSamplesTill(now, func(err error) {
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range groups {
				g.Eval(suite.Context(), now)
			}
		})
		r.compare(t, groups, at)
	}
}

// compare compares the firing alerts with the alerts that are expected at the time at.
func (r ruleTest) compare(t *testing.T, groups []*rules.Group, at time.Duration) {
	t.Helper()
	for _, want := range r.Alerts {
		if time.Duration(want.EvalTime) != at {
			continue
		}
		for _, f := range want.Want {
			f.Labels["alertname"] = want.Alertname
		}
		if diff := cmp.Diff(want.Want, firings(t, groups, want.Alertname)); diff != "" {
			t.Errorf("%s at %v (-want +got):\n%s", want.Alertname, at, diff)
		}
	}
}

func firings(t *testing.T, groups []*rules.Group, name string) (found []firing) {
	t.Helper()
	for _, g := range groups {
		for _, rule := range g.Rules() {
			if rule.LastError() != nil {
				t.Errorf("%s: %v", rule.Name(), rule.LastError())
			}
			alerting, ok := rule.(*rules.AlertingRule)
			if !ok || alerting.Name() != name {
				continue
			}
			for _, a := range alerting.ActiveAlerts() {
				if a.State == rules.StateFiring {
					found = append(found, firing{a.Labels.Map(), a.Annotations.Map()})
				}
			}
		}
	}
	return found
}

// TestEveryAlertFiresAndDoesNot checks that the scenarios contain, for every alert, a time at which
// it fires and a time at which it does not.
func TestEveryAlertFiresAndDoesNot(t *testing.T) {
	fires, rests := map[string]bool{}, map[string]bool{}
	for _, file := range loadRuleTests(t) {
		for _, test := range file.Tests {
			for _, a := range test.Alerts {
				fires[a.Alertname] = fires[a.Alertname] || len(a.Want) > 0
				rests[a.Alertname] = rests[a.Alertname] || len(a.Want) == 0
			}
		}
	}
	for _, group := range loadRules(t) {
		for _, rule := range group.Rules {
			if rule.Alert != "" && (!fires[rule.Alert] || !rests[rule.Alert]) {
				t.Errorf("%s: got firing %t, not firing %t, want both tested", rule.Alert, fires[rule.Alert], rests[rule.Alert])
			}
		}
	}
}

func TestAlertAnnotations(t *testing.T) {
	for _, group := range loadRules(t) {
		for _, rule := range group.Rules {
			if rule.Alert == "" {
				continue
			}
			if severity := rule.Labels["severity"]; severity != "critical" && severity != "warning" {
				t.Errorf("%s: got severity %q, want critical or warning", rule.Alert, severity)
			}
			if rule.For == 0 {
				t.Errorf("%s: got no \"for\", want one: a scrape can fail once", rule.Alert)
			}
			if got, want := rule.Annotations["runbook"], "docs/operations.md#"+strings.ToLower(rule.Alert); got != want {
				t.Errorf("%s: got runbook %q, want %q", rule.Alert, got, want)
			}
		}
	}
}

// metricsIn returns the metrics that a query names.
func metricsIn(t *testing.T, query string) []string {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Errorf("parse %s: %v", query, err)
		return nil
	}
	var names []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			names = append(names, selector.Name)
		}
		return nil
	})
	return names
}

// knownMetrics returns the metrics in docs/metrics.md, with the series of each histogram, and the
// two metrics that are not specific to syncd.
func knownMetrics(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{"up": true, "process_resident_memory_bytes": true}
	for line := range strings.Lines(read(t, "../docs/metrics.md")) {
		name, rest, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` | ")
		if !ok || !strings.HasPrefix(name, "syncd_") {
			continue
		}
		known[name] = true
		if strings.HasPrefix(rest, "histogram") {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				known[name+suffix] = true
			}
		}
	}
	return known
}

func TestRulesUseKnownMetrics(t *testing.T) {
	known := knownMetrics(t)
	var queries []string
	for _, group := range loadRules(t) {
		for _, rule := range group.Rules {
			queries = append(queries, rule.Expr)
			if rule.Record != "" {
				known[rule.Record] = true
			}
		}
	}
	for _, query := range queries {
		for _, name := range metricsIn(t, query) {
			if !known[name] {
				t.Errorf("got %s in a rule, want a metric of docs/metrics.md or a recorded one", name)
			}
		}
	}
	for _, file := range loadRuleTests(t) {
		for _, test := range file.Tests {
			for _, input := range test.Input {
				if name, _, _ := strings.Cut(input.Series, "{"); !known[name] {
					t.Errorf("%s: got series of %s, want a metric of docs/metrics.md", test.Name, name)
				}
			}
		}
	}
}

// runbookQueries yields every query in docs/operations.md.
func runbookQueries(t *testing.T) iter.Seq[string] {
	t.Helper()
	return func(yield func(string) bool) {
		blocks := strings.Split(read(t, "../docs/operations.md"), "```promql\n")
		for _, block := range blocks[1:] {
			text, _, _ := strings.Cut(block, "```")
			for query := range strings.Lines(text) {
				if !yield(strings.TrimSpace(query)) {
					return
				}
			}
		}
	}
}

// TestRunbookQueriesParse checks that every query in the runbook parses and names existing metrics.
func TestRunbookQueriesParse(t *testing.T) {
	known, found := knownMetrics(t), 0
	for _, group := range loadRules(t) {
		for _, rule := range group.Rules {
			known[rule.Record] = true
		}
	}
	for query := range runbookQueries(t) {
		found++
		for _, name := range metricsIn(t, query) {
			if !known[name] {
				t.Errorf("got %s in a query of the runbook, want a metric that exists", name)
			}
		}
	}
	if found < 10 {
		t.Errorf("got %d queries in the runbook, want many more", found)
	}
}

func TestRuleFilesAgree(t *testing.T) {
	var names []string
	for _, group := range loadRules(t) {
		names = append(names, group.Name)
	}
	for _, file := range loadRuleTests(t) {
		if !slices.Equal(file.RuleFiles, []string{"rules.yaml"}) {
			t.Errorf("got rule files %v, want [rules.yaml]", file.RuleFiles)
		}
		if !slices.Equal(file.GroupEvalOrder, names) {
			t.Errorf("got order of groups %v, want %v", file.GroupEvalOrder, names)
		}
	}
}
