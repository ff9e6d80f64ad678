package iam_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd/internal/iam"
)

// evaluationCase tests one rule of AWS's documentation. It contains a request, the policies that
// apply to it, and the resulting decision. The files in testdata/evaluation group the cases by
// topic. They contain only cases with a documented result.
type evaluationCase struct {
	Name string `json:"name"`
	Rule string `json:"rule"` // the page of AWS's documentation, a colon, and a paraphrase of the rule

	Caller   string              `json:"caller"` // name of the caller in testdata/names.json
	Action   string              `json:"action"`
	Resource string              `json:"resource"`
	Account  string              `json:"account,omitempty"`
	Context  map[string][]string `json:"context,omitempty"`

	// A policy is given as the JSON that AWS accepts, or by its name in testdata/names.json. There
	// is at most one resource policy.
	Identity        oneOrMore `json:"identity,omitempty"`
	Boundary        oneOrMore `json:"boundary,omitempty"`
	Session         oneOrMore `json:"session,omitempty"`
	Bucket          oneOrMore `json:"bucket,omitempty"`
	Key             oneOrMore `json:"key,omitempty"`
	Trust           oneOrMore `json:"trust,omitempty"`
	Queue           oneOrMore `json:"queue,omitempty"`
	ServiceControl  oneOrMore `json:"scp,omitempty"`
	ResourceControl oneOrMore `json:"rcp,omitempty"`

	Want   string     `json:"want"` // "allow", "explicit deny" or "implicit deny"
	Source iam.Source `json:"source"`
	Reason string     `json:"reason,omitempty"` // the end of AWS's message; "" to skip the check
}

// oneOrMore is a policy or a list of policies.
type oneOrMore []json.RawMessage

func (o *oneOrMore) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]json.RawMessage)(o))
	}
	*o = oneOrMore{bytes.Clone(data)}
	return nil
}

// names contains the callers and policies that several cases share.
type names struct {
	Callers  map[string]iam.Caller      `json:"callers"`
	Policies map[string]json.RawMessage `json:"policies"`
}

// TestEvaluation runs the cases derived from AWS's documentation.
func TestEvaluation(t *testing.T) {
	var n names
	readJSON(t, filepath.Join("testdata", "names.json"), &n)
	for file, cases := range evaluationCases(t) {
		for _, c := range cases {
			t.Run(file+"/"+c.Name, func(t *testing.T) {
				caller, ok := n.Callers[c.Caller]
				if !ok {
					t.Fatalf("got caller %q, want one of names.json", c.Caller)
				}
				req := iam.Request{Caller: caller, Action: c.Action, Resource: c.Resource, Account: c.Account, Context: c.Context}
				d := iam.Evaluate(req, n.policies(t, c))
				if got, want := outcome(d), c.Want+" by "+string(c.Source); got != want {
					t.Errorf("got %s, want %s: %s", got, want, c.Rule)
				}
				if got := d.Reason(); c.Reason != "" && got != c.Reason {
					t.Errorf("got reason %q, want %q", got, c.Reason)
				}
			})
		}
	}
}

// TestEvaluationCases checks that every case names its source, and that no two cases are the same.
func TestEvaluationCases(t *testing.T) {
	named, asked := map[string]bool{}, map[string]string{}
	for file, cases := range evaluationCases(t) {
		for _, c := range cases {
			at := file + "/" + c.Name
			if c.Name == "" || named[at] {
				t.Errorf("%s: got a name that is empty or used twice, want a unique name", at)
			}
			named[at] = true
			if page, says, _ := strings.Cut(c.Rule, ": "); page == "" || says == "" {
				t.Errorf("%s: got rule %q, want a page of AWS's documentation and what it says", at, c.Rule)
			}
			question := c.question(t)
			if other := asked[question]; other != "" {
				t.Errorf("%s: got the same request and policies as %s, want a difference", at, other)
			}
			asked[question] = at
		}
	}
	if fewest := 600; len(named) < fewest {
		t.Errorf("got %d cases, want at least %d", len(named), fewest)
	}
}

func evaluationCases(t *testing.T) map[string][]evaluationCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "evaluation", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("list case files: got %d and error %v, want some", len(files), err)
	}
	all := map[string][]evaluationCase{}
	for _, file := range files {
		var cases []evaluationCase
		readJSON(t, file, &cases)
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = cases
	}
	return all
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("decode %s: %v", file, err)
	}
}

// question returns the case without its name and its expected result.
func (c evaluationCase) question(t *testing.T) string {
	t.Helper()
	c.Name, c.Rule, c.Want, c.Source, c.Reason = "", "", "", "", ""
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// policies parses the policies of the case. The test fails if AWS would reject one of them.
func (n *names) policies(t *testing.T, c evaluationCase) iam.Policies {
	t.Helper()
	p := iam.Policies{
		Identity:        n.parse(t, c.Identity, iam.Identity),
		Session:         n.parse(t, c.Session, iam.Identity),
		ServiceControl:  n.parse(t, c.ServiceControl, iam.Identity),
		ResourceControl: n.parse(t, c.ResourceControl),
	}
	for _, boundary := range n.parse(t, c.Boundary, iam.Identity) {
		p.Boundary = boundary
	}
	for kind, policy := range map[iam.ResourceKind]oneOrMore{iam.Bucket: c.Bucket, iam.Key: c.Key, iam.Trust: c.Trust, iam.Queue: c.Queue} {
		for _, d := range n.parse(t, policy, kind) {
			if p.Resource != nil {
				t.Fatal("got two resource policies, want at most one")
			}
			p.Kind, p.Resource = kind, d
		}
	}
	return p
}

func (n *names) parse(t *testing.T, list oneOrMore, kinds ...iam.ResourceKind) []*iam.Document {
	t.Helper()
	var documents []*iam.Document
	for _, text := range list {
		var name string
		if json.Unmarshal(text, &name) == nil {
			text = n.Policies[name]
		}
		d, err := iam.Parse(text)
		for _, kind := range kinds {
			if err == nil {
				err = d.CheckKind(kind)
			}
		}
		if err != nil {
			t.Fatalf("parse policy %s%s: %v", name, text, err)
		}
		documents = append(documents, d)
	}
	return documents
}

func outcome(d iam.Decision) string {
	switch {
	case d.Allowed:
		return "allow by " + string(d.Source)
	case d.Explicit:
		return "explicit deny by " + string(d.Source)
	}
	return "implicit deny by " + string(d.Source)
}
