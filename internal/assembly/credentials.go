package assembly

import (
	"log/slog"

	"syncd/config"
	"syncd/internal/creds"
	"syncd/internal/invocation"
)

// idleConnections is the maximum number of idle connections of the process, regardless of the
// settings of its mappings. Each takes about 50 KB, for up to 90 seconds after its last request.
const idleConnections = 1024

// CredentialsOf returns the options for the sessions of the given roles, with the settings that all
// sessions of the process share.
func CredentialsOf(p invocation.Process, c *config.Config, roles map[string]config.Role, logger *slog.Logger) creds.Options {
	return creds.Options{
		Roles: roles, EndpointURL: c.STSEndpoint(""), PlainHTTP: c.Endpoints(), AllowHTTP: c.AWS.AllowHTTP,
		Shared: p.Shared, Connections: connections(c), LookupEnv: p.LookupEnv, ReadFile: p.ReadFile, Now: p.Now, Ambient: p.Ambient, Tune: p.Tune, Logger: logger,
	}
}

// connections returns how many idle connections to keep for all mappings.
func connections(c *config.Config) int {
	if n := int(c.Concurrency); n > 0 {
		return min(n, idleConnections)
	}
	return idleConnections
}
