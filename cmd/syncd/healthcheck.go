package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"syncd/internal/assembly"
	"syncd/internal/exit"
	"syncd/internal/invocation"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// healthTimeout is how long the daemon may take to answer.
const healthTimeout = 2 * time.Second

func healthcheckCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	var url string
	cmd := &cobra.Command{
		Use:   "healthcheck [--config FILE | --url URL]",
		Short: "Ask the daemon of this machine whether it is healthy",
		Long: `healthcheck asks /healthz of the daemon for the health checks of Docker and ECS, whose images hold no other program
that could. It asks on http.listen of the configuration, if one is found, or where run serves by default, and waits 2 s for the answer.` + exit.Help("healthcheck", 0, 1, 2, 130),
		Example: "  syncd healthcheck --config /etc/syncd/syncd.yaml\n  syncd healthcheck --url http://127.0.0.1:9090/healthz",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("config") && url != "" {
				return exit.Usage(errors.New("healthcheck: give --config or --url, not both"))
			}
			if url == "" {
				listens, err := listenIn(p, f)
				if err != nil {
					return err
				}
				url = healthURL(listens)
			}
			return checkHealth(cmd.Context(), url)
		},
	}
	invocation.AddConfigFlag(cmd, &f, invocation.ConfigOptional)
	cmd.Flags().StringVar(&url, "url", "", "`URL` to ask instead")
	return cmd
}

// listenIn returns http.listen of a configuration, "" where it has none. Nothing else of the file
// matters: a daemon goes on well beside a file that it refused, and must not be ended for it. A
// file that was named and cannot be read says nothing about the address, so that another daemon
// could be asked.
func listenIn(p invocation.Process, f invocation.Flags) (string, error) {
	var c struct {
		HTTP struct {
			Listen string `yaml:"listen"`
		} `yaml:"http"`
	}
	data := f.Once
	if !f.IsReadOnce() && f.Config != "" {
		var err error
		if data, err = p.ReadFile(f.Config); err != nil {
			err = f.Unreadable(fmt.Errorf("check health: read configuration: %w", err))
			return "", exit.WithHint(err, exit.Hint(err)+", or give --url")
		}
	}
	if err := yaml.Unmarshal(data, &c); err != nil {
		return "", nil //nolint:nilerr // of the daemon's file this command needs the address alone
	}
	return c.HTTP.Listen, nil
}

// healthURL returns where a daemon that listens on an address is asked: one that listens on all of
// them, on loopback.
func healthURL(listens string) string {
	host, port, err := net.SplitHostPort(assembly.ListenAddress(listens))
	if err != nil {
		return "http://" + listens + "/healthz"
	}
	switch ip, err := netip.ParseAddr(host); {
	case host == "", err == nil && ip.IsUnspecified() && ip.Is4():
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		host = "::1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/healthz"
}

func checkHealth(ctx context.Context, url string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return exit.WithHint(exit.Usage(fmt.Errorf("check health: %w", err)), "give --url a URL such as "+healthURL(""))
	}
	// A transport of its own, without a proxy: the daemon is on this machine, and has a certificate
	// for other names than that.
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as above
	}}
	response, err := client.Do(request)
	if err != nil {
		return exit.WithHint(fmt.Errorf("check health: %w", err), "is `syncd run` running there? If it is, correct http.listen of the configuration, or --url")
	}
	if secure, ok := strings.CutPrefix(url, "http:"); ok && response.StatusCode == http.StatusBadRequest {
		_ = response.Body.Close() // net/http answers so to plain HTTP where it speaks TLS
		return checkHealth(ctx, "https:"+secure)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("check health: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("check health: %s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	return nil
}
