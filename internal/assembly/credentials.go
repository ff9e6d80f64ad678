package assembly

import (
	"log/slog"

	"syncd/config"
	"syncd/internal/creds"
	"syncd/internal/invocation"
)

// idleConnections is how many idle connections the process keeps at most, whatever its mappings
// ask: each takes about 50 KB, for up to 90 seconds after its last request.
const idleConnections = 1024

// CredentialsOf are the settings that all sessions of the process have in common, with the roles as
// they are assumed.
func CredentialsOf(p invocation.Process, c *config.Config, roles map[string]config.Role, logger *slog.Logger) creds.Options {
	return creds.Options{
		Roles: roles, EndpointURL: c.STSEndpoint(""), PlainHTTP: c.Endpoints(), AllowHTTP: c.AWS.AllowHTTP,
		Shared: p.Shared, Connections: connections(c), LookupEnv: p.LookupEnv, ReadFile: p.ReadFile, Now: p.Now, Ambient: p.Ambient, Tune: p.Tune, Logger: logger,
	}
}

// connections is how many idle connections are kept for the requests of all mappings.
func connections(c *config.Config) int {
	if n := int(c.Concurrency); n > 0 {
		return min(n, idleConnections)
	}
	return idleConnections
}
