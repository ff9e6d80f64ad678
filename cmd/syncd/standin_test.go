package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	waitStep  = 50 * time.Millisecond
	waitLimit = 100 * time.Second
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

// cliIAM sends an action of IAM, whose parameters have the names of the flags.
func cliIAM(action string) func(context.Context, aws.Config, cliFlags) (any, error) {
	return func(ctx context.Context, c aws.Config, f cliFlags) (result any, err error) {
		form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
		for name, value := range f {
			parameter := ""
			for word := range strings.SplitSeq(name, "-") {
				parameter += strings.ToUpper(word[:1]) + word[1:]
			}
			form.Set(parameter, value)
		}
		body := form.Encode()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, aws.ToString(c.BaseEndpoint)+"/", strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		signer, err := c.Credentials.Retrieve(ctx)
		if err != nil {
			return nil, err
		}
		hash := fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
		if err := v4.NewSigner().SignHTTP(ctx, signer, request, hash, "iam", "us-east-1", time.Now()); err != nil {
			return nil, err
		}
		response, err := c.HTTPClient.Do(request)
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
