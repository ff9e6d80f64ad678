package main

import (
	"log/slog"

	"syncd/config"
	"syncd/internal/creds"
)

// credentials are the settings that all sessions of the process have in common, with the roles as they are assumed.
func (p process) credentials(c *config.Config, roles map[string]config.Role, logger *slog.Logger) creds.Options {
	return creds.Options{
		Roles: roles, EndpointURL: c.STSEndpoint(""), PlainHTTP: c.Endpoints(), AllowHTTP: c.AWS.AllowHTTP,
		LookupEnv: p.lookupEnv, ReadFile: p.readFile, Now: p.now, Ambient: p.ambient, Logger: logger,
	}
}
