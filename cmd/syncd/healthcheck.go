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

// healthTimeout limits how long the daemon may take to answer.
const healthTimeout = 2 * time.Second

func healthcheckCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	var url string
	cmd := &cobra.Command{
		Use:   "healthcheck [--config FILE | --url URL]",
		Short: "Check whether the daemon on this machine is healthy",
		Long: `healthcheck requests /healthz from the daemon on this machine. It is for the health checks of Docker and ECS, because the image
contains no other program that could send the request. It uses http.listen from the configuration if it finds a configuration, otherwise the
default address of "syncd run". It waits 2 s for the answer.` + exit.Help("healthcheck", 0, 1, 2, 130),
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
	cmd.Flags().StringVar(&url, "url", "", "`URL` to request instead")
	return cmd
}

// listenIn returns http.listen from the configuration, or "" if it is not set. It ignores
// everything else in the file, including faults. A daemon that rejects a changed file continues
// with the old configuration, so its health check must not fail because of that file. If --config
// names a file that cannot be read, listenIn returns an error, because another daemon might answer
// on the default address.
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
		return "", nil //nolint:nilerr // the command needs only the address
	}
	return c.HTTP.Listen, nil
}

// healthURL returns the health URL of a daemon that listens on an address. For an unspecified
// address such as 0.0.0.0 it uses loopback.
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
		return exit.WithHint(exit.Usage(fmt.Errorf("check health: %w", err)), "set --url to a URL such as "+healthURL(""))
	}
	// The transport uses no proxy, because the daemon is on this machine. It does not verify the
	// certificate, which names other hosts than loopback.
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as above
	}}
	response, err := client.Do(request)
	if err != nil {
		return exit.WithHint(fmt.Errorf("check health: %w", err), "check that `syncd run` is running at that address, and that --url, or http.listen in the configuration, is correct")
	}
	if secure, ok := strings.CutPrefix(url, "http:"); ok && response.StatusCode == http.StatusBadRequest {
		_ = response.Body.Close() // net/http answers plain HTTP with 400 when it serves TLS
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
