package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

const (
	waitStep  = 50 * time.Millisecond
	waitLimit = 100 * time.Second

	// iamDoor is the path at which a session's accounts take what the fake has no API for.
	iamDoor = "/-/iam"
)

// standIns are the programs other than syncd that a session may call. They do what the documents ask of them and refuse
// everything else, so that a session needs no program that the machine may lack.
func standIns() map[string]func() {
	return map[string]func(){
		"aws": beAWS, "curl": answering(curl), "jq": answering(jq), "openssl": answering(openssl),
	}
}

// answering makes a program of a func that prints to a writer.
func answering(f func(args []string, stdout io.Writer) error) func() {
	return func() {
		if err := f(os.Args[1:], os.Stdout); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
			os.Exit(1)
		}
	}
}

// curl gets a page, and waits until it is served.
func curl(args []string, stdout io.Writer) error {
	want := []string{"--silent", "--fail", "--retry", "9", "--retry-connrefused"}
	if len(args) != len(want)+1 || !slices.Equal(args[:len(want)], want) {
		return fmt.Errorf("got %v, want %v URL", args, want)
	}
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	tick := time.NewTicker(waitStep)
	defer tick.Stop()
	for {
		body, err := get(ctx, args[len(want)])
		if err == nil {
			_, err = stdout.Write(body)
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func get(ctx context.Context, url string) (body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return io.ReadAll(response.Body)
}

// jq adds the statements of a second policy to those of a first, which is the one filter that it knows.
func jq(args []string, stdout io.Writer) error {
	if len(args) != 4 || args[0] != "--slurp" || args[1] != ".[0].Statement += .[1].Statement | .[0]" {
		return fmt.Errorf("got %q, want the statements of two files together", args)
	}
	var policies [2]map[string]any
	for i, name := range args[2:] {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &policies[i]); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	first, _ := policies[0]["Statement"].([]any)
	second, _ := policies[1]["Statement"].([]any)
	policies[0]["Statement"] = slices.Concat(first, second)
	return json.NewEncoder(stdout).Encode(policies[0])
}

func openssl(args []string, stdout io.Writer) error {
	if !slices.Equal(args, []string{"rand", "-hex", "16"}) {
		return fmt.Errorf("got %q, want rand -hex 16", args)
	}
	_, err := fmt.Fprintln(stdout, "5f1c0a7e9d3b48269c1f7be2d05a6634")
	return err
}

// cliIAM sends an action to the door of the session's accounts: IAM has no endpoint in the fake.
func cliIAM(action string) func(context.Context, aws.Config, cliFlags) (any, error) {
	return func(ctx context.Context, c aws.Config, f cliFlags) (result any, err error) {
		signer, err := c.Credentials.Retrieve(ctx)
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(iamCall{action, signer.AccessKeyID, signer.SecretAccessKey, f})
		if err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, aws.ToString(c.BaseEndpoint)+iamDoor, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		response, err := (&http.Client{}).Do(request)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, response.Body.Close()) }()
		text, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = errors.New(string(text))
		}
		return nil, err
	}
}

// iamCall is a request to the door: who asks, and for what.
type iamCall struct {
	Action, AccessKeyID, Secret string
	Flags                       cliFlags
}

// serveIAM serves the door for the administrators of accounts.
func serveIAM(admins map[*awsfake.User]*awsfake.Account) http.Handler {
	roles := map[string]*awsfake.Role{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call iamCall
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for admin, account := range admins {
			if admin.AccessKeyID != call.AccessKeyID || admin.SecretAccessKey != call.Secret {
				continue
			}
			if err := call.carryOut(account, roles); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
			}
			return
		}
		http.Error(w, "AccessDenied", http.StatusForbidden)
	})
}

func (c iamCall) carryOut(account *awsfake.Account, roles map[string]*awsfake.Role) error {
	name := account.ID() + "/" + c.Flags["role-name"]
	switch {
	case c.Action == "CreateRole" && roles[name] == nil:
		trust, err := iam.Parse([]byte(c.Flags["assume-role-policy-document"]))
		if err != nil {
			return fmt.Errorf("MalformedPolicyDocument: %w", err)
		}
		roles[name] = account.CreateRole(c.Flags["role-name"], trust, awsfake.RoleOptions{})
	case c.Action == "PutRolePolicy" && roles[name] != nil:
		policy, err := iam.Parse([]byte(c.Flags["policy-document"]))
		if err != nil {
			return fmt.Errorf("MalformedPolicyDocument: %w", err)
		}
		roles[name].SetPolicies(policy)
	default:
		return fmt.Errorf("%s of role %s: EntityAlreadyExists or NoSuchEntity", c.Action, name)
	}
	return nil
}

// cliDeploy holds the command to the template: every parameter that is given is one of it and has the form it asks for, and
// every one without a default is given. What the template grants is compared elsewhere with what syncd policy writes.
func cliDeploy(_ context.Context, _ aws.Config, f cliFlags) (any, error) {
	declared := regexp.MustCompile(`(?m)^  (\w+):\n    Type: String\n((?:    .*\n)*)`).FindAllStringSubmatch(templateOf(f), -1)
	given := map[string]string{}
	for pair := range strings.SplitSeq(f["parameter-overrides"], "\n") {
		name, value, _ := strings.Cut(pair, "=")
		given[name] = value
	}
	for _, parameter := range declared {
		value, ok := given[parameter[1]]
		if !ok && !strings.Contains(parameter[2], "Default:") {
			return nil, fmt.Errorf("parameter %s is missing", parameter[1])
		}
		pattern := regexp.MustCompile(`AllowedPattern: "(.*)"`).FindStringSubmatch(parameter[2])
		if ok && pattern != nil && !regexp.MustCompile("^("+pattern[1]+")$").MatchString(value) {
			return nil, fmt.Errorf("parameter %s: %q is not %s", parameter[1], value, pattern[1])
		}
		delete(given, parameter[1])
	}
	if len(given) > 0 || len(declared) == 0 {
		return nil, fmt.Errorf("the template has no parameters %v", given)
	}
	return nil, nil
}

// templateOf is the text of the parameters of a template that lies in the repository.
func templateOf(f cliFlags) string {
	text, err := os.ReadFile(f["template-file"])
	if err != nil {
		return ""
	}
	_, parameters, _ := strings.Cut(string(text), "\nParameters:\n")
	parameters, _, _ = strings.Cut(parameters, "\nConditions:\n")
	return parameters
}
