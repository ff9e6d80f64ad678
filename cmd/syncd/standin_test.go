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

// standIns are the programs other than syncd that a session may call. They implement only what the
// documents use, and reject everything else, so that a session does not depend on the programs of
// the machine.
func standIns() map[string]func() {
	return map[string]func(){
		"aws": beAWS, "curl": answering(curl), "jq": answering(jq), "openssl": answering(openssl),
	}
}

// answering turns a func that prints to a writer into a program.
func answering(f func(args []string, stdout io.Writer) error) func() {
	return func() {
		if err := f(os.Args[1:], os.Stdout); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
			os.Exit(1)
		}
	}
}

// curl waits until a page is served, and prints it.
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

// jq appends the statements of a second policy to the statements of a first policy. The documents
// use no other filter.
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

// cliForm sends an action to a service with a form-based API, whose parameters have the names of
// the flags.
func cliForm(service, action string) func(context.Context, aws.Config, cliFlags) (any, error) {
	return func(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
		form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
		for name, value := range f {
			parameter := ""
			for word := range strings.SplitSeq(name, "-") {
				parameter += strings.ToUpper(word[:1]) + word[1:]
			}
			form.Set(parameter, value)
		}
		return nil, sendForm(ctx, c, service, form)
	}
}

func sendForm(ctx context.Context, c aws.Config, service string, form url.Values) (err error) {
	body := form.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, aws.ToString(c.BaseEndpoint)+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signer, err := c.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	if err := v4.NewSigner().SignHTTP(ctx, signer, request, hash, service, c.Region, time.Now()); err != nil {
		return err
	}
	client := c.HTTPClient
	if client == nil { // AWS_CA_BUNDLE is not set
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(string(text))
	}
	return err
}

// cliDeploy creates a new stack from a template.
func cliDeploy(ctx context.Context, c aws.Config, f cliFlags) (any, error) {
	template, err := os.ReadFile(f["template-file"])
	if err != nil {
		return nil, err
	}
	change := url.Values{
		"Action": {"CreateChangeSet"}, "StackName": {f["stack-name"]}, "ChangeSetName": {"change"}, "ChangeSetType": {"CREATE"}, "TemplateBody": {string(template)},
	}
	i := 0
	for pair := range strings.SplitSeq(f["parameter-overrides"], "\n") {
		i++
		name, value, _ := strings.Cut(pair, "=")
		change.Set(fmt.Sprintf("Parameters.member.%d.ParameterKey", i), name)
		change.Set(fmt.Sprintf("Parameters.member.%d.ParameterValue", i), value)
	}
	if err := sendForm(ctx, c, "cloudformation", change); err != nil {
		return nil, err
	}
	return nil, sendForm(ctx, c, "cloudformation", url.Values{"Action": {"ExecuteChangeSet"}, "StackName": {f["stack-name"]}, "ChangeSetName": {"change"}})
}
