package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// unfinishedDays is the number of days after which S3 aborts an incomplete upload. Until then, a
// later process of syncd can resume the upload.
const unfinishedDays = 7

// ruleName is the ID of a lifecycle rule. It contains a number rather than the prefix, because with
// a long prefix the ID could exceed the limit of 255 characters.
const ruleName = "abort-unfinished-uploads-%d"

// Lifecycle is the lifecycle configuration of a bucket, in the format of the AWS CLI (Amazon S3 API
// Reference, PutBucketLifecycleConfiguration).
type Lifecycle struct {
	Rules []LifecycleRule
}

// LifecycleRule aborts the uploads under a prefix that are still incomplete after a number of days.
type LifecycleRule struct {
	Prefix         string
	AbortAfterDays int
}

// MarshalJSON encodes the configuration in the format of the AWS CLI.
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

// minimalRules returns the rules that no other rule covers, sorted by prefix.
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
