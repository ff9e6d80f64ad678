// Package iamoracle_test compares internal/iam with another implementation of AWS's policy
// evaluation, @cloud-copilot/iam-simulate, on generated requests and policies. The two
// implementations must make the same decision, or a sentence in AWS's documentation must explain
// the difference: see [differences].
//
// A scenario is one request with every policy that applies to it. A seed always generates the same
// scenarios. For an unexplained difference the test prints the whole scenario, made as small as
// possible. TestOracle needs Node.js and the packages that `npm ci` installs in this folder; `make
// iam-oracle` installs them.
package iamoracle_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"syncd/internal/iam"
)

// The three decisions.
const (
	allow        = "allow"
	explicitDeny = "explicit deny"
	implicitDeny = "implicit deny"
)

// oracle is a running oracle.mjs.
type oracle struct {
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
}

func startOracle(t *testing.T, script string) *oracle {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the oracle: %v (it needs Node.js 18 or later)", err)
	}
	return &oracle{in: in, out: bufio.NewReader(out), cmd: cmd}
}

func (o *oracle) stop() error {
	if err := o.in.Close(); err != nil {
		return fmt.Errorf("close the oracle's input: %w", err)
	}
	return o.cmd.Wait()
}

// question is a scenario in the form that oracle.mjs reads.
type question struct {
	Principal       string            `json:"principal,omitempty"` // empty for an anonymous caller
	Action          string            `json:"action"`
	Resource        string            `json:"resource"`
	Account         string            `json:"account"`
	Context         map[string]any    `json:"context"`
	Policy          json.RawMessage   `json:"policy,omitempty"`
	Identity        []json.RawMessage `json:"identity,omitempty"`
	Boundary        json.RawMessage   `json:"boundary,omitempty"`
	Session         json.RawMessage   `json:"session,omitempty"`
	ServiceControl  []json.RawMessage `json:"serviceControl,omitempty"`
	ResourceControl []json.RawMessage `json:"resourceControl,omitempty"`
}

// ask returns the oracle's decision. It returns an error if the oracle rejects the scenario.
func (o *oracle) ask(s *scenario) (string, error) {
	line, err := json.Marshal(s.question())
	if err != nil {
		return "", err
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		return "", fmt.Errorf("ask the oracle: %w", err)
	}
	line, err = o.out.ReadBytes('\n')
	if err != nil {
		return "", fmt.Errorf("read the oracle's answer: %w", err)
	}
	var reply struct{ Decision, Error string }
	if err := json.Unmarshal(line, &reply); err != nil {
		return "", fmt.Errorf("decode the oracle's answer %s: %w", line, err)
	}
	if reply.Error != "" || reply.Decision == "" {
		return "", fmt.Errorf("the oracle %s", reply.Error)
	}
	return reply.Decision, nil
}

// question converts the scenario to the oracle's format. It gives a root user a policy that allows
// everything, because the oracle denies root users without a policy.
func (s *scenario) question() question {
	q := question{
		Principal: s.Caller.ARN + s.Caller.Service, Action: s.Action, Resource: s.Resource, Account: s.Owner, Context: map[string]any{},
		Policy: asJSON(s.Policy), Identity: allAsJSON(s.Identity), Boundary: asJSON(s.Boundary), Session: asJSON(s.Session),
		ServiceControl: allAsJSON(s.ServiceControl), ResourceControl: allAsJSON(s.ResourceControl),
	}
	if q.Account == "" {
		q.Account = s.Caller.Account
	}
	if s.Caller.Root {
		q.Identity = []json.RawMessage{json.RawMessage(fullAccess)}
	}
	mentions := s.mentions()
	for key, values := range s.facts() {
		if !mentions(key) {
			continue
		}
		q.Context[key] = values
		if len(values) == 1 {
			q.Context[key] = values[0]
		}
	}
	return q
}

func asJSON(d *iam.Document) json.RawMessage {
	if d == nil {
		return nil
	}
	return json.RawMessage(d.String())
}

func allAsJSON(list []*iam.Document) []json.RawMessage {
	var all []json.RawMessage
	for _, d := range list {
		all = append(all, asJSON(d))
	}
	return all
}

// String returns the scenario as JSON.
func (s *scenario) String() string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return err.Error()
	}
	return b.String()
}
