package deploytest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// grants splits a policy into one line for each effect, principal, action, resource and conditions,
// so that two policies with the same grants are equal even if their statements are split or named
// differently.
func grants(t *testing.T, policy string) []string {
	t.Helper()
	var document struct {
		Version   string
		Statement []struct {
			Sid, Effect                 string
			Principal, Action, Resource any
			Condition                   map[string]map[string]any
		}
	}
	if err := json.Unmarshal([]byte(policy), &document); err != nil {
		t.Fatalf("decode a policy: %v\n%s", err, policy)
	}
	if document.Version != "2012-10-17" {
		t.Errorf("got version %q of a policy, want 2012-10-17", document.Version)
	}
	var lines []string
	for _, s := range document.Statement {
		for _, action := range list(s.Action) {
			for _, resource := range list(s.Resource) {
				lines = append(lines, fmt.Sprint(s.Effect, " ", s.Principal, " ", action, " ", resource, conditions(s.Condition)))
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// list returns a policy value as a sorted list. An absent value is an empty string.
func list(value any) []string {
	items, many := value.([]any)
	if !many {
		items = []any{value}
	}
	var texts []string
	for _, item := range items {
		texts = append(texts, fmt.Sprint(item))
	}
	slices.Sort(texts)
	return texts
}

func conditions(blocks map[string]map[string]any) string {
	var texts []string
	for operator, block := range blocks {
		for key, value := range block {
			texts = append(texts, fmt.Sprint(" if ", key, " ", operator, " ", list(value)))
		}
	}
	slices.Sort(texts)
	return fmt.Sprint(texts)
}
