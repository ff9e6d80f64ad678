package main

import (
	"context"
	"fmt"
	"net"

	"syncd/config"
)

// listenAddress returns where the pages are served.
func listenAddress(configured string) string {
	if configured == "" {
		return config.DefaultListen
	}
	return configured
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve http: %w", err)
	}
	return listener, nil
}
