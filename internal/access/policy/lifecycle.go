package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// unfinishedDays is how long an unfinished upload stays, for a later process to go on with it.
const unfinishedDays = 7

// ruleName numbers the rules of a bucket; a prefix would not fit into the 255 characters that S3
// takes.
const ruleName = "abort-unfinished-uploads-%d"

// Lifecycle is the lifecycle configuration of a bucket, in the form of Amazon S3 API Reference,
// PutBucketLifecycleConfiguration, as the AWS CLI takes it.
type Lifecycle struct {
	Rules []LifecycleRule
}

// LifecycleRule aborts uploads under a prefix that were not completed within days of their
// beginning.
type LifecycleRule struct {
	Prefix         string
	AbortAfterDays int
}

// MarshalJSON is the configuration as the AWS CLI takes it.
func (l *Lifecycle) MarshalJSON() ([]byte, error) {
	type filter struct {
		Prefix string
	}
	type abort struct {
		DaysAfterInitiation int
	}
	type rule struct {
		ID                             string
		Status                         string
		Filter                         filter
		AbortIncompleteMultipartUpload abort
	}
	rules := make([]rule, len(l.Rules))
	for i, r := range l.Rules {
		rules[i] = rule{fmt.Sprintf(ruleName, i+1), "Enabled", filter{r.Prefix}, abort{r.AbortAfterDays}}
	}
	return json.Marshal(map[string]any{"Rules": rules})
}

// minimalRules leaves out rules that another one covers.
func minimalRules(rules []LifecycleRule) []LifecycleRule {
	var kept []LifecycleRule
	for i, r := range rules {
		covered := false
		for j, wide := range rules {
			covered = covered || j != i && strings.HasPrefix(r.Prefix, wide.Prefix) && (wide.Prefix != r.Prefix || j < i)
		}
		if !covered {
			kept = append(kept, r)
		}
	}
	slices.SortFunc(kept, func(a, b LifecycleRule) int { return strings.Compare(a.Prefix, b.Prefix) })
	return kept
}
