package assembly

import (
	"context"
	"fmt"
	"net"

	"syncd/config"
)

// ListenAddress returns the configured HTTP address, or the default if it is "".
func ListenAddress(configured string) string {
	if configured == "" {
		return config.DefaultListen
	}
	return configured
}

// Listen listens on an address for HTTP.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve http: %w", err)
	}
	return listener, nil
}
